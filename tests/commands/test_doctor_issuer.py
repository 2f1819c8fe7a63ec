"""``providers check``, the doctor: this server as OpenID Provider."""

import json
from collections.abc import Iterable
from typing import Any

import pytest
import requests

from issuer.metadata import document
from tests.commands.doctor import WSGI, line_of, lines, served
from tests.site import Site

HEAD, KEYS = "OpenID Provider", "Signing keys"


def test_the_doctor_reads_what_applications_read(both):
    first, second = lines(both), lines(both)
    for output in (first, second):
        said = "ok    OpenID Provider: applications find its metadata and keys there"
        assert line_of(output, HEAD) == said
    said = "ok    Signing keys: RS256, ES256: those that sign now can be opened"
    assert line_of(second, KEYS) == said


def test_the_doctor_reports_keys_that_cannot_be_opened(site: Site):
    requests.get(f"{site.url}/oauth2/jwks", timeout=60)
    site.restart(SECRET_KEY="another key that is long enough to sign with")
    line = line_of(lines(site, status=1), KEYS)
    assert line.startswith("FAIL")
    assert "cannot be opened with the configured keys" in line


def elsewhere(answers: dict[str, Any]) -> WSGI:
    """Another server at the public URL, which answers these paths with JSON."""

    def answer(environ: Any, start_response: Any) -> Iterable[bytes]:
        found = answers.get(environ["PATH_INFO"])
        status = "200 OK" if found is not None or environ["PATH_INFO"] == "/livez" else "404 NOT"
        start_response(status, [("Content-Type", "application/json")])
        return [json.dumps(found).encode() if found is not None else b"-"]

    return answer


DISCOVERY = "/.well-known/openid-configuration"


@pytest.mark.parametrize(
    ("issuer", "keys", "said"),
    [
        (None, None, f"warn  {HEAD}: {{url}}{DISCOVERY} answered 404"),
        ("http://x.example", None, f"FAIL  {HEAD}: {{url}}{DISCOVERY} names the issuer http://x."),
        ("{url}", None, f"warn  {HEAD}: {{url}}/oauth2/jwks answered 404"),
        ("{url}", {"keys": [{"kid": "x"}]}, f"FAIL  {HEAD}: {{url}}/oauth2/jwks lacks the key"),
    ],
)
def test_the_doctor_reports_what_applications_cannot_use(make_site, issuer, keys, said):
    answers: dict[str, Any] = {}
    site = make_site()
    requests.get(f"{site.url}/oauth2/jwks", timeout=60)
    with served(elsewhere(answers)) as url:
        site.restart(PUBLIC_URL=url)
        if issuer:
            named = document(issuer.format(url=url), has_documents=False)
            answers[DISCOVERY] = named
        if keys:
            answers["/oauth2/jwks"] = keys
        line = line_of(lines(site, status=int("FAIL" in said)), HEAD)
    assert line.startswith(said.format(url=url))
