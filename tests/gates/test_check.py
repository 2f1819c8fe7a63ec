"""The check before Flask answers as the view does."""

from typing import NoReturn

import pytest

from tests.accounts.membership import DOMAIN, ORG, Members
from tests.gates.front import FETCH, NAVIGATION, WIKI, Front, add_gate
from tests.site import Site, Sites
from views.gate import forward_auth
from web import guards
from web.guards import Guard

URL = f"{WIKI}/"
DENY = '[deny]\nemails = ["gone@navy.example"]\n'
PER_ANSWER = {"Date", "Connection", "Server", "Content-Type"}


@pytest.fixture(params=["sqlite", "postgresql"])
def gated(request: pytest.FixtureRequest, make_site: Sites) -> Site:
    site = make_site(str(request.param))
    add_gate(site)
    return site


def lame(site: Site) -> None:
    """Make the view fail, so that only the check before Flask can answer."""

    def fail() -> NoReturn:
        raise RuntimeError("the view was asked")

    site.app.view_functions["forward_auth.check"] = fail


def of_gate(headers: dict[str, str]) -> dict[str, str]:
    names = [name for name in headers if name.startswith("X-Auth-Request-")]
    return {name: headers[name] for name in (*names, "Cache-Control", "Content-Length")}


@pytest.mark.parametrize("kind", ["nginx", "traefik", "envoy"])
def test_the_check_before_flask_answers_as_the_view_does(gated, kind, monkeypatch):
    front = Front(gated, kind).enter()
    fast = front.ask(URL, **FETCH)
    monkeypatch.setattr("views.gate.check.GateCheck._answer", lambda *_: None)
    slow = front.ask(URL, **FETCH)
    assert of_gate(dict(fast.headers)) == of_gate(dict(slow.headers))
    assert fast.content == slow.content == b""


@pytest.mark.parametrize("method", ["GET", "POST", "HEAD", "OPTIONS", "PROPFIND"])
@pytest.mark.parametrize("kind", ["nginx", "traefik", "envoy"])
def test_any_method_is_answered_before_flask(gated, kind, method):
    front = Front(gated, kind).enter()
    lame(gated)
    for headers in (NAVIGATION, FETCH):
        assert front.ask(f"{WIKI}/a//b?c", method, **headers).status_code == 200


@pytest.mark.parametrize("kind", ["nginx", "traefik", "envoy"])
def test_the_view_answers_for_a_websocket_as_for_a_page(gated, kind, monkeypatch):
    monkeypatch.setattr("views.gate.check.GateCheck._answer", lambda *_: None)
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-Fetch-Mode": "websocket"}
    assert Front(gated, kind).ask(URL, **upgrade).status_code == 401
    assert Front(gated, kind).enter().ask(URL, **upgrade).status_code == 200


def test_the_view_alone_refuses(gated):
    front = Front(gated)
    lame(gated)
    assert front.ask(URL, **FETCH).status_code == 500


def test_a_guard_that_sql_cannot_say_is_obeyed_by_switching_the_check_off(gated, monkeypatch):
    front = Front(gated).enter()
    closed = Guard("closed", lambda: ("closed", 403), None)  # type: ignore[arg-type, return-value]
    everywhere = [*guards.GUARDS[guards.EVERYWHERE], closed]
    monkeypatch.setitem(guards.GUARDS, guards.EVERYWHERE, everywhere)
    gated.restart()
    assert front.ask(URL, **FETCH).status_code == 403


def test_a_guard_with_a_predicate_is_obeyed_by_both(gated, monkeypatch):
    from models import User  # noqa: PLC0415

    front = Front(gated).enter()
    nobody = Guard("nobody", lambda: None, User.name == "Somebody else")
    mine = [*guards.GUARDS[forward_auth.forward_auth.name], nobody]
    monkeypatch.setitem(guards.GUARDS, forward_auth.forward_auth.name, mine)
    gated.restart()
    assert front.ask(URL, **FETCH).status_code == 401


def test_the_keys_are_read_again_by_the_view(gated):
    """A new process has none, and the check before Flask opens no row of theirs."""
    front = Front(gated).enter()
    gated.restart()
    assert front.ask(URL, **FETCH).status_code == 200
    lame(gated)
    assert front.ask(URL, **FETCH).status_code == 200


def test_a_database_that_is_away_lets_nobody_pass(gated, monkeypatch):
    front = Front(gated).enter()
    gated.execute("ALTER TABLE gate_sessions RENAME TO elsewhere")
    refused = front.ask(URL, **FETCH)
    gated.execute("ALTER TABLE elsewhere RENAME TO gate_sessions")
    assert refused.status_code == 503
    assert front.ask(URL, **FETCH).status_code == 200


@pytest.fixture(params=["sqlite", "postgresql"])
def members(request: pytest.FixtureRequest, make_site: Sites) -> Members:
    """A gate of a site whose rules let in the members of an organisation, and one domain."""
    made = Members(make_site, ORG + DOMAIN + DENY, str(request.param))
    add_gate(made.site)
    return made


def came_in(members: Members, person: str, provider: str) -> Front:
    front = Front(members.site)
    front.sign_in(person, provider)
    assert front.open(URL).status_code == 200
    return front


def test_the_rules_of_the_access_file_are_judged_before_flask_too(members, monkeypatch):
    ada, grace = came_in(members, "ada", "github"), came_in(members, "grace", "google")
    # The sessions outlive every change here, so that the rules alone decide.
    monkeypatch.setattr("accounts.entry._end_access", lambda *_: None)
    view = members.site.app.view_functions["forward_auth.check"]

    def passes_before_flask(front: Front) -> bool:
        lame(members.site)
        status = front.ask(URL, **FETCH).status_code
        members.site.app.view_functions["forward_auth.check"] = view
        return bool(status == 200)

    assert passes_before_flask(ada)
    assert passes_before_flask(grace)
    # Where the provider does not answer, its latest answer counts for a day.
    members.github.answers["organisation"] = "status_503"
    members.recheck()
    assert passes_before_flask(ada)
    members.fail_since(hours=25)
    assert not passes_before_flask(ada)
    assert ada.ask(URL, **FETCH).status_code == 403
    del members.github.answers["organisation"]
    members.recheck()
    assert passes_before_flask(ada)
    members.acme.members.clear()
    members.recheck()
    assert not passes_before_flask(ada)
    assert ada.ask(URL, **FETCH).status_code == 403
    assert passes_before_flask(grace)
    members.site.execute("UPDATE oauth SET email = 'gone@navy.example'")
    assert not passes_before_flask(grace)
    assert grace.ask(URL, **FETCH).status_code == 403
