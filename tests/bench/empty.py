"""What start and memory are compared with: one empty Flask route, with no extensions, in the same gunicorn."""

from typing import Final

from flask import Flask

EMPTY: Final = "tests.bench.empty:application()"


def application() -> Flask:
    """Return an app that answers nothing to everything."""
    app = Flask(__name__)

    @app.route("/", defaults={"path": ""})
    @app.route("/<path:path>")
    def nothing(path: str) -> str:  # noqa: ARG001 - Flask's signature
        return ""

    return app
