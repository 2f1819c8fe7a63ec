"""``gates check`` passes the files of deploy/, and finds what is wrong with others."""

import re
import ssl

import pytest

from tests.commands.console import answer, run
from tests.system.packages.gated import Street
from tests.system.packages.test_gated_hosts import envoy, make_street

__all__ = ["envoy", "make_street"]


@pytest.fixture(autouse=True)
def _trusted(certificate, monkeypatch):
    """Trust the certificate of the proxies."""
    context = ssl.create_default_context(cafile=str(certificate / "fullchain.pem"))
    monkeypatch.setattr("providers.http.transport.tls_context", lambda: context)


def check(street: Street, *words: str, status: int = 0) -> str:
    """What the command prints."""
    listen = ("--listen", f"127.0.0.1:{street.probe_port}")
    ended = run(street.site, "gates", "check", "wiki", *listen, *words)
    assert ended.exit_code == status, ended.output
    return ended.stdout


@pytest.mark.parametrize("kind", ["nginx", "caddy", "envoy"])
def test_the_files_of_deploy_pass(make_street, kind):
    street = make_street(kind)
    lines = check(street).splitlines()
    assert len(lines) >= 7
    assert [line for line in lines if not line.startswith("ok ")] == []
    assert (
        "the application receives our identity headers, and nothing that visitors claim"
        in lines[-1]
    )
    assert street.site.rows("SELECT count(*) FROM gate_flows") == [(0,)]
    assert street.apps["wiki"].requests == []


def without(pattern: str, instead: str = ""):
    """A change of a proxy's file, which must have that."""

    def change(text: str) -> str:
        assert re.search(pattern, text)
        return re.sub(pattern, instead, text)

    return change


@pytest.mark.parametrize(
    ("kind", "change", "said"),
    [
        (
            "nginx",
            without("underscores_in_headers off", "underscores_in_headers on"),
            "receives a visitor's X-Auth-Request_Email, X-Auth-Request_User, X_Auth_Request_",
        ),
        (
            "nginx",
            without("ignore_invalid_headers on", "ignore_invalid_headers off"),
            "receives a visitor's X-Auth-Request.Email, X-Auth-Request.User, X-Auth-Request_Email",
        ),
        (
            "nginx",
            without(r" +proxy_set_header X-Auth-Request-Groups .*\n"),
            "FAIL  {}: the application receives a visitor's X-Auth-Request-Groups; remove",
        ),
        (
            "nginx",
            without(r"(X-Original-URL https://)wiki\.example\.org", r"\1$http_x_forwarded_host"),
            "answers 403: the proxy asks about another address than {}",
        ),
        (
            "nginx",
            without(r" +auth_request /\.quickstep/check;\n"),
            "answers strangers with 200: the proxy does not ask the gate",
        ),
        (
            "nginx",
            without(r" +error_page 401 = @gate;\n"),
            "answers 401 without a redirect: the proxy does not pass on Location",
        ),
        (
            "nginx",
            without(r" +add_header Set-Cookie .*\n"),
            "redirects without the cookie: the proxy does not pass on Set-Cookie",
        ),
        (
            "caddy",
            without(r"\t+request_header -X-Auth-Request-\*\n|X-Auth-Request-Groups "),
            "FAIL  {}: the application receives a visitor's X-Auth-Request-Groups; remove",
        ),
        (
            "caddy",
            without(
                r"(?s)(copy_headers.*?header_up X-Forwarded-Host) wiki\.example\.org",
                r"\1 {header.X-Forwarded-Host}",
            ),
            "the proxy passes on a visitor's X-Forwarded-Host; let it overwrite them",
        ),
    ],
)
def test_a_fault_in_the_file_of_a_proxy_is_named(make_street, kind, change, said):
    street = make_street(kind, change)
    said = said.format(street.origin("wiki"))
    assert said in check(street, status=1)


def test_a_proxy_that_believes_visitors_about_their_host_is_named(make_street):
    """Where they say nothing it sends the right host, so that nobody notices."""
    said = "$http_x_forwarded_host"
    listed = f"map {said} $wiki_host {{ default {said}; '' wiki.example.org; }}\n"

    def change(text: str) -> str:
        text = text.replace(
            "proxy_set_header X-Forwarded-Host wiki.example.org",
            "proxy_set_header X-Forwarded-Host $wiki_host",
        )
        return listed + text

    street = make_street("nginx", change)
    said = check(street, status=1)
    assert "the proxy passes on a visitor's X-Forwarded-Host; let it overwrite them" in said


def test_an_application_that_is_reached_beside_its_proxy_is_named(make_street):
    street = make_street("nginx")
    port = street.apps["wiki"].port
    said = check(street, "--app", f"http://127.0.0.1:{port}", status=1)
    assert f"FAIL  http://127.0.0.1:{port}: answers 200 without the proxy" in said
    street.apps["wiki"].stop()
    said = check(street, "--app", f"http://127.0.0.1:{port}")
    assert f"ok    http://127.0.0.1:{port}: does not answer without the proxy" in said


def test_a_proxy_that_does_not_lead_the_probe_to_the_command_is_named(make_street):
    street = make_street("nginx", without(r"(?s)location = /\.quickstep/probe \{.*?\}\n"))
    said = check(street)
    assert "warn  " in said
    assert "what the application receives was not seen: /.quickstep/probe answered 200" in said
    (request,) = street.apps["wiki"].requests
    values = {name.lower(): value for name, value in request["headers"]}
    # Such an application makes no account of it.
    assert values.get("x-auth-request-user", "") == ""
    assert values.get("x-auth-request-email", "") == ""


def test_a_host_that_does_not_answer_is_named(make_street):
    street = make_street("nginx")
    street._program.stop()
    assert "does its name lead to the proxy, and is that running?" in check(street, status=1)


def test_another_program_at_the_address_to_listen_at_ends_the_command(make_street):
    street = make_street("nginx")
    port = street.apps["photos"].port
    ended = run(street.site, "gates", "check", "wiki", "--listen", f"127.0.0.1:{port}")
    assert ended.exit_code == 1
    assert f"cannot listen at 127.0.0.1:{port}" in ended.stderr


def test_what_is_found_is_also_a_document(make_street):
    street = make_street("caddy")
    document = answer(
        street.site, "gates", "check", "wiki", "--listen", f"127.0.0.1:{street.probe_port}"
    )
    assert document["level"] == "ok"
    assert {item["about"] for item in document["items"]} == {"wiki"}
    assert {item["check"] for item in document["items"]} >= {"strangers", "claims", "received"}


def test_the_probe_opens_for_the_pass_of_its_own_origin_alone(make_street):
    street = make_street("nginx")
    browser = street.browser()
    for bad in ("", "?pass=", "?pass=9999999999.AAAA", "?pass=x", "?pass=1.2&pass=3.4"):
        page = browser.fetch(f"{street.origin('wiki')}/.quickstep/probe{bad}")
        assert page.status == 302
        assert page.location.startswith(f"{street.url}/gate/wiki?")
    assert street.apps["wiki"].requests == []
