"""Proxies named in the environment."""

from contextlib import closing

import pytest

from errors import ProviderDown
from providers.http.transport import Transport
from tests.providers.http.peers import OK, SLOW, trusting


def test_the_environments_proxy_is_used_except_for_this_machine(serve, monkeypatch):
    proxy, direct = serve(), serve()
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(name, proxy.url)
    monkeypatch.setenv("no_proxy", "127.0.0.1,localhost")
    with closing(Transport()) as transport:
        assert transport.get_json("http://provider.example/me?x=y") == OK
        assert transport.get_json(direct.url) == OK
    assert proxy.requests[0].startswith(b"GET http://provider.example/me?x=y HTTP/1.1\r\n")
    assert (len(proxy.requests), len(direct.requests)) == (1, 1)


@pytest.mark.parametrize("how", SLOW)
@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.usefixtures("impatient")
def test_the_time_limit_applies_behind_a_proxy(serve, monkeypatch, scheme, how):
    proxy = serve(SLOW[how])
    monkeypatch.setenv(f"{scheme}_proxy", proxy.url)
    monkeypatch.delenv("no_proxy", raising=False)
    with closing(Transport()) as transport, pytest.raises(ProviderDown):
        transport.get_json(f"{scheme}://provider.example/")


def test_a_proxy_without_a_scheme_is_understood(serve, monkeypatch):
    """curl and most programs accept HTTPS_PROXY=proxy.example:3128."""
    proxy = serve()
    monkeypatch.setenv("http_proxy", f"127.0.0.1:{proxy.port}")
    monkeypatch.delenv("no_proxy", raising=False)
    with closing(Transport()) as transport:
        assert transport.get_json("http://provider.example/me") == OK


def test_certificates_are_checked_behind_a_proxy_as_without_one(proxied, monkeypatch):
    """With our own authorities: a slim container has none."""
    provider, _proxy, path = proxied
    with closing(Transport()) as stranger, pytest.raises(ProviderDown):
        stranger.get_json("https://provider.example/")
    assert provider.requests == []
    with closing(trusting(path, monkeypatch)) as transport:
        assert transport.get_json("https://provider.example/") == OK
    assert len(provider.requests) == 1
