"""``webhooks``: added, listed, tested and removed at the command line."""

import pytest

from tests.commands.console import answer, run
from tests.notices.receivers import Receiver, Reply

URL = "https://crm.example.org/hooks/login"


@pytest.fixture
def receiver():
    one = Receiver()
    yield one
    one.stop()


def test_a_webhook_is_listed_until_it_is_removed(both):
    made = answer(both, "webhooks", "add", URL, "--events", "user.*", "--events", "session.ended")
    assert made["secret"].startswith("whsec_")
    (item,) = answer(both, "webhooks", "list")["items"]
    assert item == {name: value for name, value in made.items() if name != "secret"}
    assert item["events"][0] == "session.ended"
    assert "user.created" in item["events"]
    assert "identity.linked" not in item["events"]
    shown = run(both, "webhooks", "list").stdout
    assert URL in shown
    assert "last delivered never" in shown
    assert made["secret"] not in shown
    # Neither is it readable in the database.
    assert made["secret"] not in str(both.rows("SELECT * FROM webhooks"))
    assert run(both, "webhooks", "remove", made["id"], typed="n\n").exit_code == 1
    answer(both, "webhooks", "remove", made["id"], "--yes")
    assert answer(both, "webhooks", "list")["items"] == []
    acts = [row[0] for row in both.rows("SELECT act FROM admin_log ORDER BY at")]
    assert acts == ["webhook_added", "webhook_removed"]


def test_the_secret_is_printed_once_beside_the_id(site):
    lines = run(site, "webhooks", "add", URL).stdout.splitlines()
    assert [line.partition(": ")[0] for line in lines] == ["id", "secret"]


@pytest.mark.parametrize(
    "url",
    [
        "http://crm.example.org/hook",
        "ftp://crm.example.org/hook",
        "crm.example.org",
        "https://",
        "https://ada:secret@crm.example.org/hook",
        "https://crm.example.org/hook#part",
        "https://crm.example.org:99999/hook",
        "https://crm.example.org/a b",
        "https://127.0.0.1/hook",
        "https://10.0.0.8/hook",
        "https://[::1]/hook",
        "https://169.254.169.254/latest",
        "https://crm.example.org/" + "x" * 2000,
    ],
)
def test_a_faulty_address_is_not_added(site, url):
    result = run(site, "webhooks", "add", url)
    assert (result.exit_code, result.stdout) == (2, "")
    assert site.rows("SELECT count(*) FROM webhooks") == [(0,)]


def test_an_unknown_type_is_named_with_those_that_there_are(site):
    result = run(site, "webhooks", "add", URL, "--events", "user.created,user.born")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "'user.born'" in result.stderr
    assert "user.deleted" in result.stderr


def test_a_test_says_what_came_back(make_site, receiver):
    site = make_site(WEBHOOK_ALLOW_PRIVATE="1")
    made = answer(site, "webhooks", "add", receiver.url)
    assert answer(site, "webhooks", "test", made["id"]) == {"id": made["id"], "status": 204}
    assert receiver.seen[0].verified(made["secret"])["type"] == "webhook.test"
    receiver.replies = [Reply(401)]
    failed = run(site, "webhooks", "test", made["id"])
    assert (failed.exit_code, failed.stdout) == (1, "")
    assert "answered 401" in failed.stderr
    receiver.stop()
    away = run(site, "webhooks", "test", made["id"])
    assert away.exit_code == 1
    assert "not delivered" in away.stderr


@pytest.mark.parametrize("words", [("test",), ("replay",), ("rotate-secret",), ("enable",)])
def test_a_webhook_that_there_is_not_is_said_so(site, words):
    for which in ("0" * 32, "nonsense", "msg_" + "0" * 32):
        result = run(site, "webhooks", *words, which)
        assert (result.exit_code, result.stdout) == (1, "")
        assert "There is no" in result.stderr
