"""Answers to programs before Flask are those of the views."""

from typing import NoReturn

import pytest
import requests

from errors import NotAllowed
from tests.site import Site
from views.oidc.metadata import CONFIGURATION, JWKS, RESOURCES
from web import guards
from web.guards import Guard

DOCUMENTS = (*CONFIGURATION, *RESOURCES, JWKS)
ENDPOINTS = ("metadata.configuration", "metadata.resource", "metadata.jwks")
# An unusual request, which the view answers.
BY_THE_VIEW = {"by": "the view"}
# Headers that differ from answer to answer.
PER_ANSWER = {"Date", "Connection", "Server"}


def lame(site: Site, *endpoints: str) -> None:
    """Make views fail, so that only what is before them can answer."""

    def fail() -> NoReturn:
        raise RuntimeError("the view was asked")

    for endpoint in endpoints:
        assert endpoint in site.app.view_functions
        site.app.view_functions[endpoint] = fail


def fetch(site: Site, path: str, method: str = "GET", **kwargs) -> requests.Response:
    return requests.request(method, site.url + path, timeout=60, allow_redirects=False, **kwargs)


def headers(response: requests.Response) -> dict[str, str]:
    return {name: value for name, value in response.headers.items() if name not in PER_ANSWER}


def test_documents_are_answered_as_by_their_views(site):
    usual = {path: fetch(site, path, params=BY_THE_VIEW) for path in DOCUMENTS}
    lame(site, *ENDPOINTS)
    for path in DOCUMENTS:
        for sent in ({}, {"Origin": "https://app.example"}, {"Cookie": "session=x; quickstep=y"}):
            fast = fetch(site, path, headers=sent)
            assert fast.status_code == 200, path
            assert fast.content == usual[path].content
            assert headers(fast) == headers(usual[path])
        assert fetch(site, path, params=BY_THE_VIEW).status_code == 500


def test_other_methods_are_left_to_the_views_of_documents(site):
    for path in DOCUMENTS:
        head = fetch(site, path, "HEAD")
        assert (head.status_code, head.content) == (200, b"")
        assert fetch(site, path, "OPTIONS").headers["Allow"]
        assert fetch(site, path, "POST").status_code == 405
        assert fetch(site, f"{path}/").status_code == 404


def test_the_view_reads_the_keys_of_a_new_process(site):
    usual = fetch(site, JWKS)
    site.restart()
    read = fetch(site, JWKS)
    lame(site, "metadata.jwks")
    assert fetch(site, JWKS).content == read.content == usual.content


def test_documents_name_what_the_settings_say(make_site):
    site = make_site(PATH_PREFIX="/id", CLIENT_DOCUMENT_HOSTS="*")
    path = f"/id{CONFIGURATION[0]}"
    usual = fetch(site, path, params=BY_THE_VIEW)
    lame(site, *ENDPOINTS)
    fast = fetch(site, path)
    assert fast.json() == usual.json()
    assert fast.json()["issuer"] == f"{site.url}/id"
    assert fast.json()["client_id_metadata_document_supported"] is True
    resource = fetch(site, f"/id{RESOURCES[1]}").json()["resource"]
    assert resource == f"{site.url}/id/api/v1"


# Guards.


def test_a_local_server_answers_programs_under_its_own_name_only(site):
    other = {"Host": f"127.0.0.1:{site.url.rpartition(':')[2]}"}
    for path in DOCUMENTS:
        led = fetch(site, path, headers=other)
        assert (led.status_code, led.headers["Location"]) == (307, site.url + path)


def test_in_demo_mode_documents_are_refused_through_a_proxy(make_site):
    site = make_site(DEMO="1")
    for path in DOCUMENTS:
        assert fetch(site, path).status_code == 200
        assert fetch(site, path, headers={"Via": "1.1 tunnel"}).status_code == 403


@pytest.mark.parametrize("where", [guards.EVERYWHERE, "metadata"])
def test_a_guard_that_does_not_let_all_programs_pass_stands_before_documents(
    make_site, monkeypatch, where
):
    def refuse() -> NoReturn:
        raise NotAllowed("a guard of this test")

    here = [*guards.GUARDS.get(where, ()), Guard("nobody_today", refuse)]
    monkeypatch.setitem(guards.GUARDS, where, here)
    site = make_site()
    for path in DOCUMENTS:
        assert fetch(site, path).status_code == 403


def test_no_hook_that_is_no_guard_runs_before_what_programs_ask(site):
    """A hook beside the list would not apply to what is answered before Flask."""
    hooks = [
        f"{hook.__module__}.{hook.__name__}"
        for name in (None, "metadata")
        for hook in site.app.before_request_funcs.get(name, ())
    ]
    assert hooks == [
        "views.operator.metrics.start_timer",
        "web.reference.begin_request",
        "web.guards.await_body",
        "web.guards.check_site_guards",
        "flask_wtf.csrf.csrf_protect",  # of forms of pages
        "web.guards.check_blueprint_guards",
    ]
