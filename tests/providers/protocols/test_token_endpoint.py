"""Responses of a token endpoint: good ones in unusual dress, and bad ones that look good."""

import pytest
from urllib3 import HTTPHeaderDict

from errors import CodeRefused, ProviderError
from providers import PROVIDERS
from providers.http.responses import Answer
from providers.protocols.token_endpoint import read_token_response

JSON = b'{"access_token": "t", "token_type": "bearer"}'


def read(body: bytes, status: int = 200, kind: str = "application/json") -> dict[str, object]:
    answer = Answer("https://a.example/token", status, HTTPHeaderDict({"Content-Type": kind}), body)
    return read_token_response(answer, PROVIDERS["github"])


@pytest.mark.parametrize("status", [200, 201, 202, 203])
def test_any_success_with_a_good_body_is_a_token(status):
    """Supabase and Harvest answer 201."""
    assert read(JSON, status)["access_token"] == "t"


@pytest.mark.parametrize(("body", "status"), [(b"", 204), (JSON, 302), (JSON, 304), (JSON, 400)])
def test_any_other_status_or_no_body_is_no_token(body, status):
    with pytest.raises(ProviderError):
        read(body, status)


FORM = b"access_token=t%2B1&token_type=bearer&scope=a%20b&expires_in=60"


@pytest.mark.parametrize(
    "kind",
    ["application/x-www-form-urlencoded", "text/plain; charset=utf-8", "text/html", "", "*/*"],
)
@pytest.mark.parametrize("end", [b"", b"\r\n"])
def test_a_form_is_read_as_a_form_whatever_it_is_called(kind, end):
    answer = read(FORM + end, kind=kind)
    assert (answer["access_token"], answer["scope"]) == ("t+1", "a b")


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded"])
def test_an_error_in_a_form_is_an_error_whatever_the_form_is_called(kind):
    with pytest.raises(CodeRefused):
        read(b"error=invalid_grant&error_description=used", 200, kind)


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_json_is_read_as_json_whatever_it_is_called(kind):
    assert read(JSON, kind=kind)["access_token"] == "t"


@pytest.mark.parametrize(
    "body",
    [
        b'<a href="/?access_token=t">here</a>',
        b"<html>&error=invalid_grant&</html>",
        b"see access_token=t for more",
        b"access_token",
        b"refresh_token=t&x=access_token",
    ],
)
def test_a_page_that_mentions_a_token_is_not_a_form(body):
    with pytest.raises(ProviderError) as caught:
        read(body, kind="text/html")
    assert not isinstance(caught.value, CodeRefused)


@pytest.mark.parametrize("kind", ["null", '""', '"Bearer"', '"BEARER"'])
def test_a_token_type_may_be_empty(kind):
    assert read(f'{{"access_token": "t", "token_type": {kind}}}'.encode())["access_token"] == "t"
    assert read(b'{"access_token": "t"}')["access_token"] == "t"


@pytest.mark.parametrize("kind", ['"mac"', '"DPoP"', "5", "[]", "true", "{}"])
def test_another_token_type_is_refused(kind):
    with pytest.raises(ProviderError):
        read(f'{{"access_token": "t", "token_type": {kind}}}'.encode())
