"""`vestibule serve`: gunicorn, in the foreground."""

import click

from service.serve import become_gunicorn


@click.command()
def serve() -> None:
    """Run gunicorn in the foreground, until SIGTERM. It listens on the unix socket that nginx connects to."""
    become_gunicorn()
