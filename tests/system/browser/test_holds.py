"""The pages of "This wasn't me" and of an account on hold, in every state under axe."""

from accounts import alarms
from accounts.alarms import AlarmKind
from storage import atomic
from tests.system.browser.inspection import inspect

LONG_AGO = "2026-01-01 00:00:00.000000"


def test_the_link_of_a_mail_and_the_hold_that_it_brings(come, site):
    ada = come()
    ada.be_signed_in("google", "ada")
    ada.link("GitHub", "grace")
    ((user_id,),) = site.rows("SELECT id FROM users")
    ((github,),) = site.rows("SELECT id FROM oauth WHERE provider = 'github'")
    begin = atomic(alarms.begin)
    token = site.inside(begin, user_id, AlarmKind.IDENTITY_LINKED, identity_id=github)
    stale = site.inside(begin, user_id, AlarmKind.CONNECTED_TO_APP)
    reader = come(javascript=False)
    reader.open(f"/not-me/{token}")
    reader.press("This wasn't me")
    reader.reads("GitHub can't be used to sign in to this account any more.")
    reader = come()
    reader.open(f"/not-me/{token}")
    inspect(reader, "You told us already")
    reader.open(f"/not-me/{stale}")
    inspect(reader, "Wasn't this you?")
    reader.press("This wasn't me")
    inspect(reader, "Your account is safe from changes")
    reader.press("Sign in")
    reader.press("Continue with Google")
    reader.be("ada")
    inspect(reader, "Changes are on hold")
    reader.press("It's mine again")
    reader.is_told("Changes to your account are possible again.")
    reader.reads("Paused: it can't be used to sign in.")
    inspect(reader, "Account")


def test_a_hold_that_this_sign_in_cannot_end(come, site):
    ada = come()
    ada.be_signed_in("google", "ada")
    ((user_id,),) = site.rows("SELECT id FROM users")
    token = site.inside(atomic(alarms.begin), user_id, AlarmKind.DOWNLOADED)
    site.execute("UPDATE alarms SET used_at = created_at")
    site.execute("UPDATE users SET held_at = created_at, held_reason = 'not_me'")
    ada.open("/account")
    inspect(ada, "Account")
    site.execute("UPDATE alarms SET used_at = :at", at="2030-01-01 00:00:00.000000")
    ada.press("Why, and how you end that")
    ada.reads("sign in again with a sign-in method that the account had before")
    inspect(ada, "Changes are on hold")
    site.execute("UPDATE alarms SET created_at = :at, used_at = NULL", at=LONG_AGO)
    ada.open(f"/not-me/{token}")
    inspect(ada, "This link is too old")
