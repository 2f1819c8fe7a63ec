"""Webhooks: who is told what, signed so that the reference library accepts it."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from standardwebhooks.webhooks import WebhookVerificationError

from jobs.parallel import Deliverer
from notices import deliveries, webhooks
from notices.webhook_events import MAX_BYTES, make_body
from notices.webhook_signatures import sign
from storage import atomic
from tests.commands.console import answer
from tests.notices.receivers import add, deliver, make_due, plan, send, waiting
from tests.processes import until

MANY = 12
PERSON = {"email": "ada@navy.example", "name": "Ada", "provider": "github"}


def test_a_message_is_signed_as_the_specification_says():
    """The vector of the reference library."""
    secret = "whsec_MDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAw"
    headers = sign("msg_1", 1764208800, '{"type":"user.created"}', [secret])
    assert headers == {
        "webhook-id": "msg_1",
        "webhook-timestamp": "1764208800",
        "webhook-signature": "v1,mCzTPdDa6obDe9SH0Ycn4fLeuXwBvR+QjtU9E4PU51M=",
    }


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_the_reference_library_verifies_what_comes(make_site, receiver, engine):
    site = make_site(engine, WEBHOOK_ALLOW_PRIVATE="1")
    made = add(site, receiver.url)
    plan(site, "identity.linked", provider="github")
    assert deliver(site) == ["delivered"]
    (message,) = receiver.seen
    document = message.verified(made["secret"])
    assert document["type"] == "identity.linked"
    assert document["data"] == {"user_id": "0" * 32, "provider": "github"}
    assert datetime.fromisoformat(document["timestamp"]).tzinfo == UTC
    assert message.headers["content-type"] == "application/json"
    assert deliver(site) == []


def test_both_secrets_sign_while_one_is_replaced(private_site, receiver):
    site, made = private_site, add(private_site, receiver.url)
    new = answer(site, "webhooks", "rotate-secret", made["id"])["secret"]
    plan(site)
    deliver(site)
    for secret in (made["secret"], new):
        assert receiver.seen[0].verified(secret)
    site.execute("UPDATE webhooks SET overlap_until = '2026-01-01 00:00:00+00:00'")
    plan(site)
    deliver(site)
    assert receiver.seen[1].verified(new)
    with pytest.raises(WebhookVerificationError):
        receiver.seen[1].verified(made["secret"])


def test_a_secret_that_leaked_signs_nothing_more(private_site, receiver):
    site, made = private_site, add(private_site, receiver.url)
    new = answer(site, "webhooks", "rotate-secret", made["id"], "--overlap", "0")["secret"]
    plan(site)
    deliver(site)
    assert receiver.seen[0].verified(new)
    with pytest.raises(WebhookVerificationError):
        receiver.seen[0].verified(made["secret"])


def test_a_webhook_is_told_the_types_that_it_wants(private_site, receiver):
    site = private_site
    add(site, f"{receiver.url}/all")
    add(site, f"{receiver.url}/sessions", "--events", "session.*,user.deleted")
    for kind in ("user.created", "session.started", "user.deleted"):
        plan(site, kind)
    deliver(site)
    told = sorted((message.path, json.loads(message.body)["type"]) for message in receiver.seen)
    assert told == [
        ("/hook/all", "session.started"),
        ("/hook/all", "user.created"),
        ("/hook/all", "user.deleted"),
        ("/hook/sessions", "session.started"),
        ("/hook/sessions", "user.deleted"),
    ]
    assert len(set(receiver.ids)) == 3  # an event has one id, whoever is told


def test_an_event_that_does_not_happen_is_told_to_nobody(private_site, receiver):
    add(private_site, receiver.url)

    @atomic
    def fail() -> None:
        webhooks.plan("user.created", {"user_id": "0" * 32})
        raise ArithmeticError

    with pytest.raises(ArithmeticError):
        private_site.inside(fail)
    assert deliver(private_site) == []


def test_names_and_addresses_go_only_to_those_added_with_profiles(private_site, receiver):
    site = private_site
    add(site, f"{receiver.url}/thin")
    add(site, f"{receiver.url}/full", "--with-profile")
    plan(site, **PERSON)
    deliver(site)
    data = {message.path: json.loads(message.body)["data"] for message in receiver.seen}
    assert data["/hook/thin"] == {"user_id": "0" * 32, "provider": "github"}
    assert data["/hook/full"] == {"user_id": "0" * 32, **PERSON}
    # Neither is readable in the database.
    assert not any("ada" in str(row) for row in site.rows("SELECT * FROM deliveries"))


def test_a_message_has_at_most_20_kb():
    data = {f"fact{number}": "\N{GRINNING FACE}" * 5000 for number in range(60)}
    body = make_body("user.updated", datetime.now(UTC), data | {"user_id": "7"}, with_profile=True)
    assert len(body.encode()) <= MAX_BYTES
    assert json.loads(body)["data"]["user_id"] == "7"


def test_two_instances_send_each_message_once(make_site, receiver):
    site = make_site("postgresql", WEBHOOK_ALLOW_PRIVATE="1")
    add(site, receiver.url)
    for _ in range(MANY):
        plan(site)
    outbox = deliveries.outbox(send)

    def work() -> None:
        mine = Deliverer(site.app, outbox, lambda: None)
        with site.app.app_context():
            until(lambda: mine.work() is None)

    with ThreadPoolExecutor(2) as pool:
        for each in [pool.submit(work) for _ in range(2)]:
            each.result(60)
    assert len(receiver.ids) == len(set(receiver.ids)) == MANY


def test_what_a_crashed_instance_was_about_to_send_is_sent_by_another(private_site, receiver):
    site, made = private_site, add(private_site, receiver.url)
    plan(site)
    assert site.inside(deliveries.lease_next, made["id"])  # and then it dies
    assert deliver(site) == []
    make_due(site)
    assert deliver(site) == ["delivered"]
    assert waiting(site) == 0
    assert len(receiver.ids) == 1
