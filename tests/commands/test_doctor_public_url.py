"""``providers check``, the doctor: certificates, and what a browser gets at PUBLIC_URL."""

import ssl
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.commands.doctor import certificate, line_of, lines, served, token_endpoint
from tests.site import Site

# Certificates.


def trust(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Trust this certificate, and use no proxy."""
    context = ssl.create_default_context(cafile=str(path))
    for module in ("providers.http.transport", "web.checks.network"):
        monkeypatch.setattr(f"{module}.tls_context", lambda: context)


@pytest.mark.parametrize(
    ("days", "is_trusted", "status", "said"),
    [
        (60.5, True, 0, "ok    GitHub: certificates are valid for 60 days or more"),
        (5.5, True, 0, "expires in 5 days; its owner must renew it"),
        (-1, True, 1, "is invalid: certificate has expired"),
        (60, False, 1, "is invalid: self-signed certificate"),
    ],
)
def test_the_doctor_reports_a_certificate_that_expires_soon_or_is_invalid(  # noqa: PLR0917
    make_site, tmp_path, monkeypatch, days, is_trusted, status, said
):
    context, path = certificate(tmp_path, days=days)
    if is_trusted:
        trust(path, monkeypatch)
    with served(token_endpoint(), context) as url:
        site = make_site(look_alikes=("github",), GITHUB_TOKEN_URL=f"{url}/token")
        assert said in lines(site, "github", status=status)


def test_behind_an_outgoing_proxy_the_doctor_skips_certificates(make_site, monkeypatch):
    site = make_site(look_alikes=("github",), GITHUB_TOKEN_URL="https://github.example/token")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    assert "ok    GitHub: certificates are not checked" in lines(site, "github", status=1)


# The response at PUBLIC_URL.


def test_the_doctor_reports_a_public_url_that_uses_another_database(make_site):
    here, there = make_site(), make_site()
    assert "ok    Public URL: this server and database respond there" in lines(here)
    here.restart(PUBLIC_URL=there.url)
    assert "FAIL  Public URL: the server there uses another database" in lines(here, status=1)


def test_the_doctor_reports_a_server_with_another_public_url(make_site):
    here, there = make_site(), make_site()
    there.restart(DATABASE_URL=here._variables["DATABASE_URL"])
    there.restart(PUBLIC_URL="http://localhost:1")
    here.restart(PUBLIC_URL=there.url)
    line = "FAIL  Public URL: the server there sends people back to http://localhost:1/login/"
    assert line in lines(here, status=1)


def test_the_doctor_leaves_no_flow_behind(both):
    lines(both)
    assert both.rows("SELECT count(*) FROM flows") == [(0,)]


def test_a_public_url_that_leads_nowhere_is_a_warning(make_site):
    site = make_site(PUBLIC_URL="http://localhost:9")
    line = line_of(lines(site), "Public URL")
    assert line.startswith("warn")
    assert "does its name lead here, and is the server running?" in line


def test_the_doctor_reports_another_service_at_the_public_url(make_site):
    with served(token_endpoint()) as url:
        output = lines(make_site(PUBLIC_URL=url))
    assert "began no sign-in; does a proxy keep /login from this server" in output


@contextmanager
def fronted(site: Site, tls: ssl.SSLContext, spoil: Callable[[str, str], str]) -> Iterator[str]:
    """The site behind a proxy that terminates TLS and changes headers."""

    def proxy(environ: Any, start_response: Any) -> Iterable[bytes]:
        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            spoilt = [(name, spoil(name, value)) for name, value in headers]
            return start_response(status, [pair for pair in spoilt if pair[1]], *rest)

        answer: Iterable[bytes] = site.app(environ, start)
        return answer

    with served(proxy, tls) as url:
        site.restart(PUBLIC_URL=url, TRUSTED_PROXIES="1", SESSION_COOKIE_NAME="__Host-session")
        yield url


def without(text: str) -> Callable[[str, str], str]:
    return lambda name, value: value.replace(text, "") if name == "Set-Cookie" else value


@pytest.mark.parametrize(
    ("spoil", "status", "said"),
    [
        (without(""), 0, "ok    Cookies: arrive as they were sent: Secure, HttpOnly, SameSite=Lax"),
        (without(" Secure;"), 1, "FAIL  Cookies: cookies arrive without secure"),
        (without(" HttpOnly;"), 1, "FAIL  Cookies: cookies arrive without httponly"),
        (without(" SameSite=Lax"), 1, "FAIL  Cookies: cookies arrive without samesite=lax"),
        (without("__Host-"), 1, "FAIL  Cookies: cookies arrive without the name __Host-"),
        (
            lambda name, value: f"{value}; Domain=localhost" if name == "Set-Cookie" else value,
            1,
            "FAIL  Cookies: cookies arrive without no Domain",
        ),
        (
            lambda name, value: "" if name == "Strict-Transport-Security" else value,
            0,
            "warn  HSTS: Strict-Transport-Security does not arrive",
        ),
    ],
)
def test_the_doctor_reports_cookies_and_headers_that_a_proxy_changed(  # noqa: PLR0917
    make_site, tmp_path, monkeypatch, spoil, status, said
):
    context, path = certificate(tmp_path, days=90)
    trust(path, monkeypatch)
    site = make_site()
    with fronted(site, context, spoil):
        output = lines(site, status=status)
    assert said in output
    assert "ok    Session cookie: __Host-session cannot be planted" in output
