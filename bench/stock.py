"""A stock Flask-Dance app, as in Flask-Dance's guide to a multi-user setup with SQLAlchemy.

https://flask-dance.readthedocs.io/en/latest/storages.html and the quickstarts for Google. Only the
addresses differ: those of make_google_blueprint lead to the fake provider.
"""

import os
from typing import Any

from flask import Flask, flash, jsonify
from flask_dance.consumer import OAuth2ConsumerBlueprint, oauth_authorized
from flask_dance.consumer.storage.sqla import OAuthConsumerMixin, SQLAlchemyStorage
from flask_login import LoginManager, UserMixin, current_user, login_required, login_user
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import ForeignKey, String
from sqlalchemy.exc import NoResultFound
from sqlalchemy.orm import Mapped, mapped_column, relationship
from werkzeug.wrappers import Response

db = SQLAlchemy()
login_manager = LoginManager()


class User(UserMixin, db.Model):  # type: ignore[name-defined]
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(256), unique=True)
    name: Mapped[str] = mapped_column(String(256))


class OAuth(OAuthConsumerMixin, db.Model):  # type: ignore[name-defined]
    provider_user_id: Mapped[str] = mapped_column(String(256), unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey(User.id))
    user: Mapped[User] = relationship(User)


@login_manager.user_loader
def load_user(user_id: str) -> User | None:
    return db.session.get(User, int(user_id))


def google_blueprint(url: str, api_url: str) -> OAuth2ConsumerBlueprint:
    """Build what make_google_blueprint builds, with the fake provider's addresses."""
    return OAuth2ConsumerBlueprint(
        "google",
        __name__,
        client_id="bench",
        client_secret="bench secret",
        scope=["openid", "email", "profile"],
        base_url=api_url,
        authorization_url=f"{url}/authorize",
        token_url=f"{url}/token",
        redirect_to="index",
        storage=SQLAlchemyStorage(OAuth, db.session, user=current_user),
    )


def google_logged_in(blueprint: Any, token: dict[str, Any]) -> bool:
    """Create a person or sign the known one in; Flask-Dance need not store the token itself."""
    if not token:
        flash("Failed to log in.", category="error")
        return False
    answer = blueprint.session.get("/oauth2/v2/userinfo")
    if not answer.ok:
        flash("Failed to fetch user info.", category="error")
        return False
    info = answer.json()
    query = OAuth.query.filter_by(provider=blueprint.name, provider_user_id=info["id"])
    try:
        oauth = query.one()
    except NoResultFound:
        oauth = OAuth(provider=blueprint.name, provider_user_id=info["id"], token=token)
    if oauth.user:
        login_user(oauth.user)
    else:
        user = User(email=info["email"], name=info["name"])
        oauth.user = user
        db.session.add_all([user, oauth])
        db.session.commit()
        login_user(user)
    return False


def create_app() -> Flask:
    app = Flask(__name__)
    app.config["SECRET_KEY"] = "a secret key for the benchmark only"
    app.config["SQLALCHEMY_DATABASE_URI"] = os.environ["BENCH_STOCK_DATABASE"]
    db.init_app(app)
    login_manager.init_app(app)
    blueprint = google_blueprint(os.environ["BENCH_PROVIDER"], os.environ["BENCH_API"])
    oauth_authorized.connect(google_logged_in, blueprint)
    app.register_blueprint(blueprint, url_prefix="/login")

    @app.get("/")
    def index() -> str:
        return "ok"

    @app.get("/me")
    @login_required
    def me() -> Response:
        return jsonify(id=current_user.id, email=current_user.email, name=current_user.name)

    return app


def create_tables() -> None:
    with create_app().app_context():
        db.create_all()


if __name__ == "__main__":
    create_tables()
