"""The operator's pages in a real browser: they look right, and work without JavaScript."""

from tests.commands.console import answer
from tests.system.browser.inspection import inspect


def test_the_pages_of_administration_can_be_used_by_everybody(come, site):
    bobby, ada = come(), come()
    # A name that would be markup, and two ways in, of which one can be removed.
    bobby.be_signed_in("google", "bobby")
    bobby.link("GitHub", "bobby")
    ada.be_signed_in("google", "ada")
    (admin,) = site.rows("SELECT user_id FROM oauth WHERE email_key = 'ada@gmail.com'")
    (person,) = set(site.rows("SELECT user_id FROM oauth WHERE email_key = 'bobby@tables.example'"))
    answer(site, "users", "admin", admin[0])
    answer(site, "groups", "add", "navy", person[0])
    name = site.rows("SELECT name FROM users WHERE id = :id", id=person[0])[0][0]
    ada.open("/admin")
    inspect(ada, "People")
    ada.open(f"/admin/people/{person[0]}")
    inspect(ada, name)
    ada.open(f"/admin/people/{person[0]}/delete")
    inspect(ada, f"Delete the account of {name}?")
    ada.open("/admin/log")
    inspect(ada, "Log")


def test_an_administrator_needs_no_javascript(come, javascript, site):
    grace, ada = come(), come(javascript=javascript)
    grace.be_signed_in("google", "grace")
    ada.be_signed_in("google", "ada")
    (admin,) = site.rows("SELECT user_id FROM oauth WHERE email_key = 'ada@gmail.com'")
    answer(site, "users", "admin", admin[0])
    ada.open("/account")
    ada.press("Administration")
    ada.sees("People")
    ada.press("Grace Hopper")
    ada.sees("Grace Hopper")
    ada.press("Disable account")
    ada.is_told("The account is disabled. Sessions ended: 1.")
    site.execute("UPDATE sessions SET authenticated_at = :at", at="2026-01-01 00:00:00.000000")
    ada.press("Enable account")
    ada.sees("Confirm it's you")
    ada.press("Continue with Google")
    ada.be("ada")
    ada.sees("Grace Hopper")
    ada.press("Enable account")
    ada.is_told("The account is enabled again.")
    ada.press("Invitations")
    ada.press("Make an invitation")
    ada.reads("Send this link to its person.")
    ada.press("Done")
    ada.sees("Invitations", "/admin/invitations")
