"""Flask-Dance 7.1.0: defects of stock code that stay fixed. The numbers are the rows of
docs/decisions/0001-flask-dance.md. The races of rows 1 and 2 are in test_races.py, storage (3, 4,
5) in test_tokens.py, errors (6 to 9) in test_failures.py. test_dormant.py pins the parts that we
rely on."""

import base64
from pathlib import Path

from flask_dance.consumer import OAuth1ConsumerBlueprint, OAuth2ConsumerBlueprint
from flask_dance.consumer.requests import OAuth1Session, OAuth2Session

from providers.protocols import flask_dance, flask_dance_oauth1
from providers.protocols.flask_dance import oauth_authorized, oauth_error
from tests.browser import query_of


def unsigned(cookie: str) -> str:
    """The content of a Flask cookie, which anybody can read."""
    payload = cookie.lstrip(".").partition(".")[0]
    try:
        return cookie + base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)).decode(
            "latin-1"
        )
    except ValueError:
        return cookie


ROOT = Path(__file__).parents[3]


def test_row_1_the_provider_session_belongs_to_the_request(site):
    blueprint = site.app.blueprints["github"]
    with site.app.app_context():
        first = blueprint.session
        assert blueprint.session is first
    with site.app.app_context():
        assert blueprint.session is not first


def test_row_2_no_parameter_of_a_flow_stays_on_the_blueprint(browser, site):
    browser.sign_in("github", "ada")
    for name in site.app.extensions["quickstep"].connectors:
        blueprint = site.app.blueprints[name]
        assert blueprint.authorization_url_params == {}
        assert blueprint.token_url_params == {}
        assert blueprint.state is None


def test_row_6_a_narrowed_or_comma_joined_scope_is_accepted(browser):
    """oauthlib raises "Scope has changed" on Google's URLs and GitHub's commas."""
    assert browser.sign_in("google", "ada").path == "/account"
    assert browser.link("github", "ada").path == "/account"


def test_row_6_scopes_that_were_not_granted_are_not_stored(browser, site):
    location = browser.begin("github").replace("user%3Aemail", "")
    assert browser.get(browser.choose(location, "grace")).path == "/account"
    assert browser.me()["email"] is None
    assert site.rows("SELECT scopes FROM oauth")[0][0] == "read:user"


def test_row_8_a_form_encoded_token_response_is_understood(browser):
    assert browser.sign_in("github", "ada", behave="token:form_encoded").path == "/account"


def test_row_12_no_state_verifier_or_token_is_in_a_readable_cookie(browser, site):
    location = browser.begin("github")
    callback = browser.choose(location, "ada")
    state = query_of(location)["state"]
    assert not [c for c in browser.http.cookies if state in (c.value or "")]
    browser.fetch(callback)
    (access_token,) = site.simulator.github.tokens
    kept = "".join(unsigned(c.value or "") for c in browser.http.cookies)
    assert access_token not in kept
    assert state not in kept
    assert {c.name for c in browser.http.cookies} <= {"session", "last_idp", "quickstep"}


def test_row_13_connections_are_kept(site):
    """Stock: one TLS handshake and one parse of the CA bundle per sign-in."""
    browser = site.browser()
    transport = site.app.extensions["quickstep"].connectors["github"].http
    for _ in range(3):
        browser.sign_in("github", "ada")
    (key,) = transport.poolmanager.pools.keys()
    pool = transport.poolmanager.pools[key]
    assert pool.num_requests == 9
    assert pool.num_connections <= 2  # two concurrent profile calls


def test_row_14_a_page_builds_no_provider_session(site, monkeypatch):
    """Stock: one requests Session per provider on every request of the app."""
    built = []
    original = flask_dance.ProviderSession.__init__

    def counted(self, *args, **kwargs) -> None:
        built.append(1)
        original(self, *args, **kwargs)

    monkeypatch.setattr(flask_dance.ProviderSession, "__init__", counted)
    browser = site.browser()
    browser.get("/login")
    assert not built
    authorization_url = browser.begin("github")
    assert not built
    browser.fetch(browser.choose(authorization_url, "ada"))
    assert len(built) == 1


def test_row_15_exactly_one_receiver_decides(site):
    assert len(oauth_authorized.receivers) == 1
    assert len(oauth_error.receivers) == 1


def test_row_20_nothing_of_contrib_is_used():
    for path in [*ROOT.glob("*.py"), *ROOT.glob("providers/*.py"), *ROOT.glob("views/*.py")]:
        text = path.read_text()
        assert "flask_dance.contrib" not in text
        assert "SQLAlchemyStorage" not in text
        assert "OAUTHLIB_" not in text


def test_our_blueprint_is_a_flask_dance_blueprint():
    assert issubclass(flask_dance.OAuth2LoginBlueprint, OAuth2ConsumerBlueprint)
    assert issubclass(flask_dance_oauth1.OAuth1LoginBlueprint, OAuth1ConsumerBlueprint)
    assert issubclass(flask_dance.ProviderSession, OAuth2Session)
    assert issubclass(flask_dance_oauth1.ProviderSession, OAuth1Session)
