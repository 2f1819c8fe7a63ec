"""Errors and logs hold no query string and no secret."""

import traceback

import pytest
import requests

from errors import ProviderError
from providers.http.responses import read_json
from tests.providers.http.peers import BROKEN, GOOD, SECRET, SLOW, in_turn, reset, send


def everything_said(error: BaseException) -> str:
    return repr(error) + getattr(error, "detail", "") + "".join(traceback.format_exception(error))


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("how", [*SLOW, *BROKEN, "refuses connections"])
@pytest.mark.usefixtures("impatient")
def test_the_query_never_shows_in_an_error_or_a_log(serve, transport, caplog, how, method):
    """It may hold Facebook's appsecret_proof or an access token. urllib3 logs the whole URL when it
    retries, and when it cannot read a header."""
    answer = (SLOW | BROKEN).get(how, GOOD)
    url = "http://127.0.0.1:9/" if how == "refuses connections" else serve(answer).url
    request = requests.Request(
        method,
        f"{url}me?access_token={SECRET}",
        headers={"Authorization": f"Bearer {SECRET}"},
        data={"client_secret": SECRET} if method == "POST" else None,
    )
    with pytest.raises(ProviderError) as caught:
        read_json(transport.send(request.prepare()))
    said = everything_said(caught.value)
    assert SECRET not in said + caplog.text
    assert f"{url}me" in said, "the log must tell where it happened"


def test_the_query_never_shows_in_the_log_of_a_successful_retry(serve, transport, caplog):
    nonsense = send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nno header\r\n\r\n{}")
    peer = serve(in_turn(reset, nonsense))
    transport.get_json(f"{peer.url}me?access_token={SECRET}")
    assert peer.methods() == ["GET", "GET"]
    assert SECRET not in caplog.text


def test_the_query_never_shows_in_the_error_of_an_invalid_url(transport):
    with pytest.raises(ProviderError) as caught:
        transport.get_json(f"http://exa mple/?token={SECRET}")
    assert SECRET not in everything_said(caught.value)
