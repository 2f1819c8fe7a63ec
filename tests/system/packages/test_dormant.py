"""The dormant libraries: what we override or stand on in them is as it was when we read it.

They are Flask-Dance, Flask-Login, Flask-SQLAlchemy and requests-oauthlib. An upgrade fails here,
and the message says what of ours to look at again; ``make upstream-tests`` runs their own tests.
"""

import hashlib
import inspect
from importlib import import_module, metadata
from typing import Any

import flask_dance.consumer
import pytest
from flask_dance.consumer.requests import OAuth1Session, OAuth2Session
from flask_dance.consumer.storage import BaseStorage

from providers.protocols import flask_dance as door
from providers.protocols import flask_dance_oauth1 as twin
from tests.system.packages.test_lock import read
from web.authentication import login_manager

PINS = {
    "flask-dance": "7.1.0",
    "flask-login": "0.6.3",
    "flask-sqlalchemy": "3.1.1",
    "requests-oauthlib": "2.0.0",
}
SESSIONS = "ProviderSession in providers/protocols/flask_dance.py and its twin"
SETUP = "LoginBlueprint and its two heirs, in providers/protocols/flask_dance.py and its twin"
SLOTS = "PerRequestSession in gate.py and LoginBlueprint in flask_dance.py"
CALLBACK = "finish in providers/protocols/flask_dance.py and its twin; Gate.claim"
STORAGE = "Storage in providers/protocols/flask_dance.py, IdentityTokens in vault/tokens.py"
LOADING = "load_user in views/bearer.py, _LoginManager in views/guards.py"
ENDING = "begin_session and end_session in views/guards.py"
ENGINES = "storage/engine.py, engine_options in app.py"
SCOPES = "atomic in transactions.py, migrations/env.py"

# What, the hash of its source, and what of ours rests on it.
STOOD_ON = [
    ("flask_dance.consumer.base:BaseOAuthConsumerBlueprint.__init__", "f3075aa3f824ea25", SETUP),
    ("flask_dance.consumer.base:BaseOAuthConsumerBlueprint.load_config", "d52663b2451d299b", SETUP),
    ("flask_dance.consumer.base:BaseOAuthConsumerBlueprint.token", "872df0a35afd69ba", STORAGE),
    ("flask_dance.consumer.base:BaseOAuthConsumerBlueprint.storage", "06b35b63ed77d9aa", STORAGE),
    ("flask_dance.consumer.storage:BaseStorage", "5343d0b8379fae76", STORAGE),
    ("flask_dance.consumer.oauth2:OAuth2ConsumerBlueprint.__init__", "797d0b4bc3c5c3ca", SETUP),
    ("flask_dance.consumer.oauth2:OAuth2ConsumerBlueprint.client_id", "f04627fbc1367586", SLOTS),
    ("flask_dance.consumer.oauth2:OAuth2ConsumerBlueprint.session", "549d1a2f48393b1e", SLOTS),
    (
        "flask_dance.consumer.oauth2:OAuth2ConsumerBlueprint.teardown_session",
        "b73b5659690691c4",
        SLOTS,
    ),
    ("flask_dance.consumer.oauth2:OAuth2ConsumerBlueprint.login", "290b7431539d3ddb", SLOTS),
    (
        "flask_dance.consumer.oauth2:OAuth2ConsumerBlueprint.authorized",
        "d9d7af0caf2ac94a",
        CALLBACK,
    ),
    ("flask_dance.consumer.oauth1:OAuth1ConsumerBlueprint.__init__", "c1fde2ddad445b9d", SETUP),
    ("flask_dance.consumer.oauth1:OAuth1ConsumerBlueprint.session", "af8789333c196ad0", SLOTS),
    (
        "flask_dance.consumer.oauth1:OAuth1ConsumerBlueprint.teardown_session",
        "b73b5659690691c4",
        SLOTS,
    ),
    ("flask_dance.consumer.oauth1:OAuth1ConsumerBlueprint.login", "745bf8a1e20663fd", SLOTS),
    (
        "flask_dance.consumer.oauth1:OAuth1ConsumerBlueprint.authorized",
        "5869a920b3f57461",
        CALLBACK,
    ),
    ("flask_dance.consumer.requests:OAuth2Session.__init__", "dac5667e0c5e6fdf", SESSIONS),
    ("flask_dance.consumer.requests:OAuth2Session.token", "c22a5eab8e60644d", STORAGE),
    ("flask_dance.consumer.requests:OAuth2Session.load_token", "630df003a282d40d", STORAGE),
    ("flask_dance.consumer.requests:OAuth2Session.request", "9ed14cdd0f2ac289", SESSIONS),
    ("flask_dance.consumer.requests:OAuth1Session.__init__", "c9fc51e5fbf2e792", SESSIONS),
    ("flask_dance.consumer.requests:OAuth1Session.load_token", "0e64b055cfa6a82f", STORAGE),
    ("flask_dance.consumer.requests:OAuth1Session.prepare_request", "fdd9fb334eea610e", SESSIONS),
    ("flask_dance.consumer.requests:OAuth1Session.request", "9b3c6979676dfaa4", SESSIONS),
    ("requests_oauthlib.oauth2_session:OAuth2Session.__init__", "d5f59390b715426d", SESSIONS),
    ("requests_oauthlib.oauth2_session:OAuth2Session.token", "fbddc5cffdc3e5fd", STORAGE),
    ("requests_oauthlib.oauth2_session:OAuth2Session.fetch_token", "17c98a10f770b576", SESSIONS),
    ("requests_oauthlib.oauth2_session:OAuth2Session.request", "b29f6184719e3eff", SESSIONS),
    ("requests_oauthlib.oauth1_session:OAuth1Session.__init__", "b3400e87e5c54e0f", SESSIONS),
    ("requests_oauthlib.oauth1_session:OAuth1Session.token", "d93b4eb131567d19", STORAGE),
    (
        "requests_oauthlib.oauth1_session:OAuth1Session._populate_attributes",
        "dc9d62b876150c3d",
        SESSIONS,
    ),
    (
        "requests_oauthlib.oauth1_session:OAuth1Session.fetch_access_token",
        "b286bcf4395bca25",
        SESSIONS,
    ),
    (
        "requests_oauthlib.oauth1_session:OAuth1Session.parse_authorization_response",
        "2610acd3c1fc0354",
        SESSIONS,
    ),
    ("requests_oauthlib.oauth1_session:OAuth1Session.rebuild_auth", "39192a09de383d02", SESSIONS),
    ("requests_oauthlib.oauth1_auth:OAuth1", "fb89cd56d437998d", SESSIONS),
    ("flask_login.login_manager:LoginManager.__init__", "c72dc1692982ef61", LOADING),
    ("flask_login.login_manager:LoginManager.init_app", "baced492d8e0e5a9", LOADING),
    ("flask_login.login_manager:LoginManager.unauthorized", "2a9a0004e0951dc2", LOADING),
    ("flask_login.login_manager:LoginManager._load_user", "0d6e4d0e46a4c346", LOADING),
    ("flask_login.login_manager:LoginManager._load_user_from_request", "6464277411eee56c", LOADING),
    (
        "flask_login.login_manager:LoginManager._load_user_from_remember_cookie",
        "9b44ec6b2237c2ba",
        LOADING,
    ),
    ("flask_login.login_manager:LoginManager._update_remember_cookie", "6796619703aa6c51", ENDING),
    (
        "flask_login.login_manager:LoginManager._update_request_context_with_user",
        "e4693af60e6df7bc",
        LOADING,
    ),
    ("flask_login.utils:_get_user", "87ed4f381e99b6ff", LOADING),
    ("flask_login.utils:login_required", "3b0029b4f35bb19a", LOADING),
    ("flask_login.utils:login_user", "cb2e0c0c6567786c", ENDING),
    ("flask_login.utils:logout_user", "b1e31dc14712f46e", ENDING),
    ("flask_login.mixins:UserMixin", "582f33d8c96ee056", LOADING),
    ("flask_sqlalchemy.extension:SQLAlchemy.__init__", "6d02023a25ead75d", ENGINES),
    ("flask_sqlalchemy.extension:SQLAlchemy.init_app", "934fe1ba3fc914f5", ENGINES),
    ("flask_sqlalchemy.extension:SQLAlchemy._apply_driver_defaults", "47a77133f79058ee", ENGINES),
    ("flask_sqlalchemy.extension:SQLAlchemy._make_engine", "87d6efe4d117d14f", ENGINES),
    ("flask_sqlalchemy.extension:SQLAlchemy.engines", "526ec7346b640758", ENGINES),
    ("flask_sqlalchemy.extension:SQLAlchemy.engine", "9900d0ebb10c8484", ENGINES),
    ("flask_sqlalchemy.extension:SQLAlchemy._make_metadata", "21d4918a53568792", SCOPES),
    ("flask_sqlalchemy.extension:SQLAlchemy._make_scoped_session", "724bd613de6f4fb9", SCOPES),
    ("flask_sqlalchemy.extension:SQLAlchemy._make_session_factory", "06637066ee557582", SCOPES),
    ("flask_sqlalchemy.extension:SQLAlchemy._teardown_session", "696d95cd25c4154f", SCOPES),
    ("flask_sqlalchemy.session:Session.get_bind", "60ffdab8b9b7aac5", SCOPES),
    ("flask_sqlalchemy.session:_clause_to_engine", "aec2d5500d8c801c", SCOPES),
    ("flask_sqlalchemy.session:_app_ctx_id", "c87b9891becfb38f", SCOPES),
]


def source_of(name: str) -> str:
    """The source of ``module:Class.attribute``; of a property, that of its getter."""
    module, _, path = name.partition(":")
    found: Any = import_module(module)
    for part in path.split("."):
        found = inspect.getattr_static(found, part)
    found = getattr(found, "fget", None) or getattr(found, "func", found)
    return inspect.getsource(inspect.unwrap(found))


@pytest.mark.parametrize(("name", "known", "ours"), STOOD_ON, ids=[row[0] for row in STOOD_ON])
def test_what_we_stand_on_has_not_changed(name, known, ours):
    found = hashlib.sha256(source_of(name).encode()).hexdigest()[:16]
    assert found == known, (
        f"{name} is not what we read: read the difference, look again at {ours}, run "
        f"make upstream-tests, then put {found} here"
    )


@pytest.mark.parametrize(("name", "version"), PINS.items())
def test_the_dormant_libraries_are_pinned_in_what_is_chosen(name, version):
    """Exactly, so that ``make lock UPGRADE=1`` passes them by."""
    assert str(read("requirements.in")[name].specifier) == f"=={version}"
    assert metadata.version(name) == version


def test_names_that_we_reach_for_are_there():
    for signal in ("oauth_authorized", "oauth_before_login", "oauth_error"):
        assert hasattr(flask_dance.consumer, signal)


def test_what_we_override_exists_upstream():
    """A method of ours that upstream renamed would never be called."""
    for ours, base, names in (
        (door.LoginBlueprint, flask_dance.consumer.OAuth2ConsumerBlueprint,
            ("login", "authorized", "session", "client_id")),
        (twin.OAuth1LoginBlueprint, flask_dance.consumer.OAuth1ConsumerBlueprint,
            ("login", "authorized", "session")),
        (door.ProviderSession, OAuth2Session, ("fetch_token", "request")),
        (twin.ProviderSession, OAuth1Session,
            ("parse_authorization_response", "fetch_access_token", "request")),
        (door.Storage, BaseStorage, ("get", "set", "delete")),
        (type(login_manager), type(login_manager).__mro__[1], ("_load_user",
            "_update_remember_cookie")),
    ):  # fmt: skip
        for name in names:
            assert hasattr(ours, name)
            assert hasattr(base, name), f"{base.__qualname__} has no {name}"
