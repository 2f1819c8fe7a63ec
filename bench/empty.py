"""An empty Flask view, the baseline of a session check. Its cookie session is not read."""

from flask import Flask


def create_app() -> Flask:
    app = Flask(__name__)
    app.config["SECRET_KEY"] = "a secret key for the benchmark only"

    @app.get("/")
    def empty() -> str:
        return "ok"

    return app
