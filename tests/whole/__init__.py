"""Promises of the whole: nginx, gunicorn with several workers and real stores, under load and under kill -9."""
