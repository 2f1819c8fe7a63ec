"""What webhooks are told of accounts, by people and operators who act on a whole site."""

import json
from typing import Any

import pytest

from accounts.alarms import AlarmKind
from tests.commands.console import answer
from tests.inbox import token_senders as senders
from tests.notices.receivers import Receiver, add, deliver, waiting
from tests.processes import until
from tests.site import Site
from tests.views.account.test_not_me import link_of, press


class Ear:
    """A webhook of a site, and what it is told."""

    def __init__(self, site: Site, receiver: Receiver, *options: str) -> None:
        self._site, self._receiver = site, receiver
        add(site, receiver.url, *options)

    def told(self) -> list[tuple[str, dict[str, Any]]]:
        """Types and data since the last time, in order of their types."""
        deliver(self._site)
        until(lambda: waiting(self._site) == 0)  # the site's own job sends too
        seen = [json.loads(message.body) for message in self._receiver.seen]
        self._receiver.seen.clear()
        return sorted(((each["type"], each["data"]) for each in seen), key=lambda pair: pair[0])


@pytest.fixture
def ear(private_site: Site, receiver: Receiver) -> Ear:
    return Ear(private_site, receiver)


def user_of(site: Site) -> str:
    return str(site.rows("SELECT id FROM users ORDER BY created_at")[0][0])


def types(told: list[tuple[str, dict[str, Any]]]) -> list[str]:
    return [kind for kind, _data in told]


def test_webhooks_are_told_of_an_account_from_its_beginning_to_its_end(private_site, receiver, ear):
    site, browser = private_site, private_site.browser()
    browser.sign_in("google", "grace")
    user, told = user_of(site), ear.told()
    assert types(told) == ["session.started", "user.created"]
    assert all(data["user_id"] == user and data["provider"] == "google" for _, data in told)
    assert told[0][1]["identity_id"] == told[1][1]["identity_id"]
    browser.link("github", "grace")
    assert types(ear.told()) == ["identity.linked"]
    answer(site, "users", "disable", user)
    assert types(ear.told()) == ["user.disabled"]
    answer(site, "users", "enable", user)
    assert types(ear.told()) == ["user.enabled"]
    answer(site, "users", "delete", user, "--yes")
    ((kind, data),) = ear.told()
    assert (kind, data["user_id"]) == ("user.deleted", user)


def test_a_sign_out_and_a_sign_in_are_told(private_site, ear):
    browser = private_site.browser()
    browser.sign_in("google", "grace")
    ear.told()
    browser.sign_out()
    ((kind, data),) = ear.told()
    assert (kind, data["kind"]) == ("session.ended", "signed_out")
    browser.sign_in("google", "grace")
    assert types(ear.told()) == ["session.started"]


def test_no_message_names_a_person_unless_the_webhook_was_added_with_profiles(
    private_site, receiver
):
    thin = Ear(private_site, receiver)
    private_site.browser().sign_in("google", "grace")
    assert "grace" not in str(thin.told()).lower()
    full = Ear(private_site, receiver, "--with-profile")
    private_site.browser().sign_in("google", "grace")
    assert any(data.get("email") == "grace@navy.example" for _kind, data in full.told())


def test_a_refused_sign_in_is_not_told_as_a_session(private_site, ear):
    private_site.browser().sign_in("google", "grace")
    ear.told()
    answer(private_site, "users", "disable", user_of(private_site))
    ear.told()
    private_site.browser().sign_in("google", "grace")
    assert ear.told() == []


def test_a_merge_names_the_account_that_is_gone(private_site, receiver, ear):
    browser = private_site.browser()
    browser.sign_in("google", "grace")
    other = private_site.browser()
    other.sign_in("github", "linus")
    gone = other.user_id
    ear.told()
    page = browser.link("github", "linus")
    browser.answer(page, "merge")
    told = dict(ear.told())
    assert told["user.merged"]["user_id"] == browser.user_id
    assert told["user.merged"]["from_user_id"] == gone


def test_a_press_of_this_wasnt_me_is_an_alarm(private_site, ear):
    private_site.browser().sign_in("google", "ada")
    ear.told()
    press(private_site, link_of(private_site, AlarmKind.DOWNLOADED))
    told = dict(ear.told())
    assert told["account.alarm"]["user_id"] == user_of(private_site)


def test_a_hijacking_is_told_as_the_report_the_suspension_and_the_ended_sessions(private_site, ear):
    private_site.browser().sign_in("google", "ada")
    ear.told()
    (subject,) = private_site.rows("SELECT subject FROM oauth")[0]
    event = {"reason": "hijacking"}
    senders.google(private_site, f"{senders.RISC}account-disabled", subject, event=event)
    told = dict(ear.told())
    assert told["identity.suspended"]["provider"] == "google"
    assert told["notice.received"]["reason"] == "hijacked"
    assert {data["user_id"] for data in told.values()} == {user_of(private_site)}
