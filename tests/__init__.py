"""Promises about the service, one sentence each; the folders mirror `service/`."""
