"""Receivers that are away, busy, moved or gone: the schedule, and the end of it."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
import time_machine

from notices import webhooks
from notices.delivery_ends import JITTER, retry_after
from storage.types import now
from tests.commands.console import answer, run
from tests.notices.receivers import Reply, add, deliver, make_due, plan, state, waiting

HOUR = 3600
SCHEDULE = (5, 300, 1800, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR)
# What a slow machine may take between a due time and our look at it.
SLACK = 30


def seconds_left(site: Any) -> list[float]:
    """How long each waiting message waits yet, by the database's clock, which no test moves."""
    left = "(julianday(due_at) - julianday('now')) * 86400"
    rows = site.rows(f"SELECT {left} FROM deliveries WHERE state = 'waiting'")
    return [float(row[0]) for row in rows]


def test_a_message_is_tried_ten_times_and_then_its_webhook_is_disabled(make_site, receiver, capfd):
    site = make_site(
        WEBHOOK_ALLOW_PRIVATE="1",
        OPERATOR_EMAIL="operator@acme.example",
        MAIL_URL="smtp://127.0.0.1:9",
        MAIL_FROM="no-reply@acme.example",
    )
    made = add(site, receiver.url)
    receiver.replies = [Reply(500)] * (len(SCHEDULE) + 1)
    plan(site)
    with time_machine.travel(now()) as clock:
        for delay in SCHEDULE:
            assert deliver(site) == ["postponed"]
            (left,) = seconds_left(site)
            assert delay - SLACK <= left <= delay * (1 + JITTER) + SLACK
            clock.shift(timedelta(seconds=delay))
            make_due(site)
        assert deliver(site) == ["failed"]
    assert len(receiver.ids) == len(SCHEDULE) + 1
    assert len(set(receiver.ids)) == 1
    stamps = [int(message.headers["webhook-timestamp"]) for message in receiver.seen]
    pauses = [later - earlier for earlier, later in pairwise(stamps)]
    assert all(pause >= delay for pause, delay in zip(pauses, SCHEDULE, strict=True))
    assert state(site, made["id"])["disabled_at"]
    assert waiting(site) == 0
    assert "webhook_disabled" in capfd.readouterr().err
    assert site.rows("SELECT kind FROM mails") == [("webhook_off",)]
    plan(site)
    assert waiting(site) == 0  # nothing more is written for it


def test_one_success_later_it_is_not_failing(private_site, receiver):
    site, made = private_site, add(private_site, receiver.url)
    receiver.replies = [Reply(500)]
    plan(site)
    assert deliver(site) == ["postponed"]
    failing = state(site, made["id"])
    assert failing["failing_since"]
    assert failing["fault"] == "status 500"
    make_due(site)
    assert deliver(site) == ["delivered"]
    fine = state(site, made["id"])
    assert (fine["failing_since"], fine["fault"]) == (None, "")
    assert fine["delivered_at"]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_a_failure_and_is_not_followed(private_site, receiver, status):
    add(private_site, receiver.url)
    receiver.replies = [Reply(status, {"Location": f"{receiver.url}/elsewhere"})]
    plan(private_site)
    assert deliver(private_site) == ["postponed"]
    assert [message.path for message in receiver.seen] == ["/hook"]


def test_410_disables_and_what_was_missed_can_be_sent_again(private_site, receiver):
    site, made = private_site, add(private_site, receiver.url)
    receiver.replies = [Reply(410)]
    plan(site)
    plan(site)
    assert deliver(site) == ["gone"]
    assert len(receiver.seen) == 1
    assert state(site, made["id"])["disabled_at"]
    plan(site)
    assert waiting(site) == 0
    assert run(site, "webhooks", "replay", made["id"]).exit_code == 1  # it is disabled yet
    answer(site, "webhooks", "enable", made["id"])
    assert answer(site, "webhooks", "replay", made["id"])["ended"] == {"delivered": 2}
    first, *again = receiver.ids
    assert first in again
    assert len(set(again)) == 2
    assert all(message.verified(made["secret"]) for message in receiver.seen)


def test_a_message_that_was_taken_is_sent_again_under_its_id(private_site, receiver):
    site = private_site
    add(site, receiver.url)
    plan(site)
    deliver(site)
    (sent,) = receiver.ids
    assert answer(site, "webhooks", "replay", sent)["ended"] == {"delivered": 1}
    assert receiver.ids == [sent, sent]
    assert receiver.seen[0].body == receiver.seen[1].body


def test_a_busy_receiver_is_left_alone_for_as_long_as_it_says(private_site, receiver):
    site = private_site
    add(site, receiver.url)
    receiver.replies = [Reply(429, {"Retry-After": "7200"})]
    for _ in range(3):
        plan(site)
    assert deliver(site) == ["postponed"]
    plan(site)
    assert len(receiver.seen) == 1
    lefts = seconds_left(site)
    assert len(lefts) == 4
    assert all(7200 - SLACK <= left <= 7200 + SLACK for left in lefts)


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_busy_receiver_that_says_no_time_gets_a_minute(private_site, receiver, status):
    site = private_site
    add(site, receiver.url)
    receiver.replies = [Reply(status)]
    plan(site)
    plan(site)
    assert deliver(site) == ["postponed"]
    assert len(receiver.seen) == 1
    assert all(left <= 60 for left in seconds_left(site))


def test_retry_after_is_read_as_seconds_or_a_date():
    moment = datetime(2026, 11, 27, 2, 0, tzinfo=UTC)
    assert retry_after("120", moment) == 120
    assert retry_after("Fri, 27 Nov 2026 02:05:00 GMT", moment) == 300
    assert retry_after("Fri, 27 Nov 2026 01:05:00 GMT", moment) == 0
    for text in ("", "soon", "-5", "1.5", "9" * 400):
        assert retry_after(text, moment) is None


def test_a_receiver_that_does_not_answer_is_tried_again(private_site, receiver):
    site, made = private_site, add(private_site, receiver.url)
    receiver.stop()
    plan(site)
    assert deliver(site) == ["postponed"]
    assert state(site, made["id"])["fault"] == "NewConnectionError"


def test_everything_can_be_tried_now(private_site, receiver):
    site = private_site
    add(site, receiver.url)
    receiver.replies = [Reply(500)]
    plan(site)
    assert deliver(site) == ["postponed"]
    assert deliver(site) == []
    assert site.inside(webhooks.retry) == 1
    assert deliver(site) == ["delivered"]
