"""Limits that several instances share through a real Redis, with outages."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from limits.storage import RedisStorage

from tests.browser import Browser
from tests.processes import until
from tests.redis_server import RedisServer
from tests.site import Site
from web import shared_limits

REFUSED = "/login/github/authorized?state=x"


@pytest.fixture(autouse=True)
def soon(monkeypatch):
    """Try a failed Redis again soon."""
    monkeypatch.setattr(shared_limits, "ASK_AGAIN_AFTER_SECONDS", 0.3)


def two(make_site, redis) -> list[Site]:
    """Two instances with separate databases, so that only Redis is shared."""
    shared = {"REDIS_URL": redis.url, "REFUSALS_PER_MINUTE": "4", "LOG_FORMAT": "json"}
    return [make_site(**shared) for _ in range(2)]


def refuse(browser: Browser) -> int:
    """Send a callback of no flow, from a browser that began one: 303 to a page, or 429."""
    return browser.fetch(REFUSED).status


def in_flow(site: Site) -> Browser:
    browser = site.browser()
    browser.begin("github")
    return browser


def lines(capfd, event: str) -> list[dict[str, Any]]:
    text = capfd.readouterr().err
    found = [json.loads(line) for line in text.splitlines() if line[:1] == "{"]
    return [line for line in found if line["event"] == event]


def until_shared(site) -> None:
    limits = site.app.extensions["quickstep"].limits
    until(lambda: site.inside(limits.shared_state) == "ok", "Redis was not found again")


def count_calls(monkeypatch, *names: str) -> list[str]:
    """A list of the commands sent to Redis from now on."""
    asked: list[str] = []

    def counted(name: str) -> Any:
        ask = getattr(RedisStorage, name)

        def count(*args: Any, **kwargs: Any) -> Any:
            asked.append(name)
            return ask(*args, **kwargs)

        return count

    for name in names:
        monkeypatch.setattr(RedisStorage, name, counted(name))
    return asked


def state_of(site) -> str | None:
    state: str | None = site.app.extensions["quickstep"].limits.shared_state()
    return state


def test_instances_count_the_refusals_of_an_address_together(make_site, redis):
    one, other = (in_flow(site) for site in two(make_site, redis))
    assert [refuse(browser) for browser in (one, other, one, other)] == [303] * 4
    assert [refuse(one), refuse(other)] == [429, 429]
    page = other.fetch("/login/github")
    assert page.status == 429
    assert 1 <= int(page.headers["Retry-After"]) <= 60


def test_redis_works_over_a_unix_socket_and_with_a_password(make_site, redis, capfd):
    redis.kill()
    redis.start("--requirepass", "hunter2")
    by_socket = redis.socket_url.replace("unix://", "unix://:hunter2@")
    by_port = redis.url.replace("redis://", "redis://:hunter2@")
    sites = [make_site(REDIS_URL=url, REFUSALS_PER_MINUTE="2") for url in (by_socket, by_port)]
    assert [state_of(site) for site in sites] == ["ok", "ok"]
    one, other = (in_flow(site) for site in sites)
    assert [refuse(browser) for browser in (one, other, one, other)] == [303, 303, 429, 429]
    refused = make_site(REDIS_URL=redis.url, LOG_FORMAT="json")
    assert state_of(refused) == "gone"
    assert in_flow(refused).sign_in("github", "ada").path == "/account"
    wrong = make_site(REDIS_URL=redis.url.replace("redis://", "redis://:hunter3@"))
    assert state_of(wrong) == "gone"
    output = capfd.readouterr()
    assert "limits_not_shared" in output.err
    assert "hunter" not in output.err + output.out


def test_accounts_and_networks_are_counted_separately(make_site, redis):
    site = make_site(REDIS_URL=redis.url, REFUSALS_PER_MINUTE="1", TRUSTED_PROXIES="1")

    def begin(address: str) -> int:
        headers = {"X-Forwarded-For": address}
        return int(browser.fetch("/login/github", headers=headers).status)

    browser = site.browser()
    assert begin("2001:db8::1") == 302
    browser.fetch(REFUSED, headers={"X-Forwarded-For": "2001:db8::1"})
    assert begin("2001:db8::dead:beef") == 429
    assert begin("2001:db8:0:1::1") == 302
    browser.fetch(REFUSED, headers={"X-Forwarded-For": "192.0.2.1"})
    assert begin("192.0.2.1") == 429
    assert begin("192.0.2.2") == 302


def test_redis_keys_have_our_prefix_and_hold_at_most_a_network(make_site, redis):
    site = make_site(REDIS_URL=redis.url, TRUSTED_PROXIES="1")
    browser = site.browser()
    person = {"X-Forwarded-For": "2001:db8::dead:beef"}
    browser.fetch("/login/github", headers=person)
    browser.fetch(REFUSED, headers=person)
    keys = redis.keys()
    assert keys
    assert all(key.startswith("quickstep:limits:") for key in keys)
    assert "dead" not in "".join(keys)
    assert any("2001:db8::/64" in key for key in keys)
    assert all(int(redis.ask(f"TTL {key}")[1:]) in range(1, 61) for key in keys)


def test_a_redis_outage_fails_no_sign_in_and_is_logged_once(make_site, redis, capfd):
    one, other = two(make_site, redis)
    assert one.browser().sign_in("google", "ada").path == "/account"
    redis.kill()
    with ThreadPoolExecutor(8) as pool:
        pages = list(pool.map(lambda _: one.browser().sign_in("google", "ada"), range(16)))
    assert {page.path for page in pages} == {"/account"}
    (line,) = lines(capfd, "limits_not_shared")
    assert line["level"] == "warning"
    assert state_of(one) == "gone"
    # Meanwhile each instance counts alone.
    here, there = in_flow(one), in_flow(other)
    assert [refuse(here) for _ in range(5)] == [303] * 4 + [429]
    assert refuse(there) == 303


def test_a_recovered_redis_is_used_again_and_logged_once(make_site, redis, capfd):
    one, other = two(make_site, redis)
    redis.kill()
    assert in_flow(one).sign_in("google", "ada").path == "/account"
    assert in_flow(other).sign_in("google", "ada").path == "/account"
    assert [each["level"] for each in lines(capfd, "limits_not_shared")] == ["warning"] * 2
    redis.start()
    for site in (one, other):
        until_shared(site)
    assert len(lines(capfd, "limits_shared_again")) == 2
    here, there = in_flow(one), in_flow(other)
    assert [refuse(browser) for browser in (here, there, here, there)] == [303] * 4
    assert refuse(here) == 429
    assert not lines(capfd, "limits_not_shared")


def test_a_redis_connection_cut_by_a_restart_is_opened_again(make_site, redis, capfd):
    """Redis was down between two requests, and no request fails."""
    site = two(make_site, redis)[0]
    browser = in_flow(site)
    redis.kill()
    redis.start()
    assert refuse(browser) == 303
    assert not lines(capfd, "limits_not_shared")
    assert redis.keys()


def test_a_hanging_redis_is_tried_once_and_then_skipped(make_site, redis, monkeypatch, capfd):
    """Its connections stay open without a response."""
    monkeypatch.setattr(shared_limits, "ASK_AGAIN_AFTER_SECONDS", 3600)
    site = two(make_site, redis)[0]
    in_flow(site)
    redis.halt()
    asked = count_calls(monkeypatch, "acquire_entry", "get_moving_window")
    for person in ("ada", "grace", "linus"):
        assert site.browser().sign_in("google", person).status == 200
    assert len(asked) == 1
    assert len(lines(capfd, "limits_not_shared")) == 1
    redis.go_on()


def test_a_skipped_redis_is_tried_again_outside_of_requests(make_site, redis):
    site = two(make_site, redis)[0]
    redis.halt()
    in_flow(site)
    time.sleep(0.35)
    assert in_flow(site).sign_in("google", "ada").path == "/account"
    redis.go_on()
    until_shared(site)
    assert redis.keys()


def test_a_read_only_redis_counts_as_an_outage(make_site, redis, capfd):
    """It answers a PING and refuses writes; logged once, not at every check."""
    site = two(make_site, redis)[0]
    redis.ask("CONFIG SET maxmemory 1")
    in_flow(site)
    for _ in range(3):
        refuse(in_flow(site))
        time.sleep(0.35)
    assert state_of(site) == "gone"
    assert len(lines(capfd, "limits_not_shared")) == 1
    redis.ask("CONFIG SET maxmemory 0")
    until_shared(site)


def test_without_the_setting_no_redis_is_used(site, redis: RedisServer):
    assert state_of(site) is None
    assert site.browser().sign_in("google", "ada").path == "/account"
    assert not redis.keys()
