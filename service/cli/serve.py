"""`vestibule serve`: gunicorn, in the foreground."""

import click

from service.serve import become_gunicorn


@click.command()
def serve() -> None:
    """Serve on the unix socket that nginx knows, until TERM. The configuration follows from the settings."""
    become_gunicorn()
