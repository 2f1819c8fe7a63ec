"""``gates``: which applications are behind a proxy that asks here, and for whom."""

import pytest

from tests.commands.console import answer, run


def test_gates_are_added_shown_changed_and_removed(both):
    assert "No gates" in run(both, "gates", "list").stdout
    hosts = ("--host", "https://Wiki.example.org/", "--host", "http://wiki.localhost:8000")
    added = answer(both, "gates", "add", "wiki", *hosts, "--allow", "domain=navy.example")
    created_at = added.pop("created_at")
    assert created_at
    assert added == {
        "name": "wiki",
        "hosts": ["http://wiki.localhost:8000", "https://wiki.example.org"],
        "allow": ["domain=navy.example"],
        "forward_auth": f"{both.url}/forward-auth/wiki",
    }
    changed = answer(both, "gates", "allow", "wiki", "group=a", "provider=google")
    assert changed["allow"] == ["group=a", "provider=google"]
    assert answer(both, "gates", "show", "wiki") == changed
    assert answer(both, "gates", "list")["items"] == [changed]
    assert "for group=a, provider=google" in run(both, "gates", "list").stdout
    assert answer(both, "gates", "allow", "wiki")["allow"] == []
    assert "for everyone" in run(both, "gates", "list").stdout
    answer(both, "gates", "remove", "wiki", "--yes")
    assert answer(both, "gates", "list")["items"] == []
    assert both.rows("SELECT * FROM gate_hosts") == []


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (("add", "Wiki", "--host", "https://a.example"), "1 to 40"),
        (("add", "-w", "--host", "https://a.example"), "No such option"),
        (("add", "wiki"), "Missing option"),
        (("add", "wiki", "--host", "a.example"), "must be an absolute URL"),
        (("add", "wiki", "--host", "http://a.example"), "loopback"),
        (("add", "wiki", "--host", "https://a.example/path"), "not an origin"),
        (("add", "wiki", "--host", "https://*.example"), "not an origin"),
        (("add", "wiki", "--host", "https://u@a.example"), "user name"),
        (("add", "wiki", "--host", "http://localhost:1"), "the host of PUBLIC_URL"),
        (("add", "wiki", "--host", "https://a.example", "--allow", "all"), "must be everyone"),
        (("allow", "wiki", "domain=a b"), "must be everyone"),
    ],
)
def test_a_faulty_gate_is_refused_with_its_fault(site, words, fault):
    result = run(site, "gates", *words)
    assert result.exit_code == 2
    assert fault in result.stderr
    assert site.rows("SELECT count(*) FROM gates") == [(0,)]


def test_a_name_and_a_host_belong_to_one_gate(site):
    answer(site, "gates", "add", "wiki", "--host", "https://a.example")
    for words in (
        ("add", "wiki", "--host", "https://b.example"),
        ("add", "other", "--host", "https://a.example:443"),
        ("show", "unknown"),
        ("allow", "unknown"),
        ("remove", "unknown", "--yes"),
    ):
        result = run(site, "gates", *words)
        assert result.exit_code == 1, words
        assert "gate" in result.stderr
    assert [each["name"] for each in answer(site, "gates", "list")["items"]] == ["wiki"]
