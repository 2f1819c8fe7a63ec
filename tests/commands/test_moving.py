"""``users move-identity``: for a person whose account at the provider was made again."""

import pytest

from tests.browser import Browser
from tests.commands.console import answer, run
from tests.site import Site


def made_again(site: Site) -> tuple[Browser, Browser]:
    """Grace's account, and her separate one after Google gave her a new subject."""
    old, new = site.browser(), site.browser()
    old.sign_in("google", "grace")
    site.execute("UPDATE oauth SET subject = 'the old one'")
    new.answer(new.sign_in("google", "grace"), "create")
    assert old.user_id != new.user_id
    return old, new


def identity_of(browser: Browser) -> str:
    me = browser.me()
    assert me
    return f"google:{me['identities'][0]['subject']}"


def test_a_moved_identity_opens_the_old_account_and_both_are_told(both):
    old, new = made_again(both)
    user_id, from_id = old.user_id, new.user_id
    assert user_id
    document = answer(both, "users", "move-identity", identity_of(new), user_id, "--yes")
    assert (document["user_id"], document["from_user_id"]) == (user_id, from_id)
    assert (document["from_user_deleted"], document["sessions_ended"]) == (True, 1)
    assert "moved the sign-in method that you used on this device" in new.get("/account").text
    assert "Google moved here from another account" in old.get("/account/activity").text
    assert new.sign_in("google", "grace").path == "/account"
    assert new.user_id == user_id
    assert both.user_count() == 1


def test_an_account_that_keeps_another_identity_is_kept_and_told(both):
    old, new = made_again(both)
    new.link("github", "grace")
    moving = new.identity("google")
    assert old.user_id
    document = answer(both, "users", "move-identity", moving, old.user_id, "--yes")
    assert document["from_user_deleted"] is False
    new.sign_in("github", "grace")
    assert "Google moved to another account" in new.get("/account/activity").text
    assert new.providers() == ["github"]


def test_moving_an_identity_asks_first_and_says_what_it_cannot_do(site):
    old, new = made_again(site)
    words = ("users", "move-identity", identity_of(new), str(old.user_id))
    assert run(site, *words, typed="n\n").exit_code == 1
    assert new.me()
    assert run(site, *words, typed="y\n").exit_code == 0
    again = run(site, *words, "--yes")
    assert (again.exit_code, "in that account already" in again.stderr) == (1, True)


@pytest.mark.parametrize("identity", ["google:nobody", "0" * 32, "grace@navy.example", "\x00"])
def test_an_unknown_identity_is_not_moved(both, identity):
    browser = both.browser()
    browser.sign_in("google", "grace")
    result = run(both, "users", "move-identity", identity, str(browser.user_id), "--yes")
    assert result.exit_code == 1
    assert "There is no such identity." in result.stderr
