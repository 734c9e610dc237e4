"""What nginx answered, counted beside nginx for `/edge/metrics`: also while the service is stopped."""
