"""Counts what nginx answers, for `/edge/metrics`, in a process beside nginx: also while the service is stopped."""
