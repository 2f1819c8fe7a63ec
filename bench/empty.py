"""An empty Flask view, the baseline of small answers. It reads neither its cookie nor a form."""

from flask import Flask


def create_app() -> Flask:
    app = Flask(__name__)
    app.config["SECRET_KEY"] = "a secret key for the benchmark only"

    @app.route("/", methods=["GET", "POST"])
    def empty() -> str:
        return "ok"

    return app
