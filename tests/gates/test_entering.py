"""Entering a gate: whose session counts, which flow, which page, and which instance answers."""

import pytest

from tests.commands.console import answer
from tests.gates.front import FETCH, NAVIGATION, NOTES, WIKI, Front, add_gate
from tests.gates.test_coming_in import begin_with_code
from tests.issuer.pair import second_instance, stop
from tests.site import Site, Sites

URL = f"{WIKI}/"


@pytest.fixture
def gated(site: Site) -> Site:
    add_gate(site)
    return site


def test_a_planted_session_opens_no_gate(gated):
    """A neighbouring host can plant a session cookie of a plain name, not Flask's own."""
    mallory, victim = Front(gated), Front(gated)
    mallory.sign_in("linus", "github")
    victim.browser.http.cookies.set(
        "session", mallory.browser.cookie("session") or "", domain="localhost.local"
    )
    assert victim.browser.user_id == mallory.browser.user_id
    page = victim.open(URL)
    assert page.url.startswith(f"{gated.url}/account/reauth")
    assert gated.rows("SELECT code_hash FROM gate_flows") == [(None,)]
    assert victim.ask(URL, **FETCH).status_code == 401


def test_a_flow_goes_on_at_its_own_gate_only(gated):
    add_gate(gated, "notes", "--allow", "provider=google", host=NOTES)
    answer(gated, "gates", "allow", "wiki", "provider=github")
    front = Front(gated)
    front.sign_in()
    begun = front.ask(URL, **NAVIGATION).headers["Location"]
    page = front.browser.fetch(begun.replace("/gate/wiki?", "/gate/notes?"), headers=NAVIGATION)
    assert (page.status, page.location) == (400, "")
    assert front.browser.fetch(begun, headers=NAVIGATION).status == 403
    assert gated.rows("SELECT code_hash FROM gate_flows") == [(None,)]


@pytest.mark.parametrize("kind", ["nginx", "traefik", "envoy"])
@pytest.mark.parametrize(
    "page", ["//evil.example/", "/\\evil.example", "/@evil.example", "/%0D%0ASet-Cookie:%20a=b"]
)
def test_a_page_of_any_spelling_leads_to_its_own_host(gated, kind, page):
    front = Front(gated, kind)
    front.sign_in()
    address = begin_with_code(front, WIKI + page)
    assert address.startswith(f"{WIKI}/")
    found = front.ask(f"{WIKI}{page}?__gate={address.partition('__gate=')[2]}", **NAVIGATION)
    assert found.headers["Location"] == WIKI + page.replace("\\", "%5C")
    assert front.cookie()
    assert front.ask(WIKI + page, **FETCH).status_code == 200


def test_each_step_may_reach_another_instance(make_site: Sites):
    site = make_site("postgresql")
    add_gate(site)
    front, instances = Front(site), [site.app, second_instance(site)]

    def step_at(number: int) -> None:
        site.app = instances[number]

    front.sign_in()
    begun = front.ask(URL, **NAVIGATION).headers["Location"]
    step_at(1)
    address = str(front.browser.fetch(begun).location)
    step_at(0)
    assert front.ask(address, **NAVIGATION).headers["Location"] == URL
    step_at(1)
    assert front.ask(URL, **FETCH).status_code == 200
    step_at(0)
    stop(instances[1])


def test_a_way_in_that_is_removed_no_longer_meets_a_rule(gated):
    answer(gated, "gates", "allow", "wiki", "provider=github")
    front = Front(gated)
    front.sign_in()
    front.browser.link("github", "linus")
    assert front.open(URL).status_code == 200
    identities = front.browser.fetch("/api/v1/identities").response.json()["items"]
    (github,) = [each["id"] for each in identities if each["provider"] == "github"]
    front.browser.unlink(github)
    assert front.ask(URL, **FETCH).status_code == 403
