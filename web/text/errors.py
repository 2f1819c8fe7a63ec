"""The texts of errors: title, body and what the page offers, by the error's code.

The page (web/sign_in_page.py) fills in ``{provider}``, ``{product}``, ``{host}``, ``{email}``,
``{support}``, ``{ref}`` and ``{minutes}``.
"""

from typing import Literal, NamedTuple

Offers = Literal["buttons", "retry", "nothing"]


class ErrorText(NamedTuple):
    """``offers``: what the page offers. ``buttons``: every way to sign in; ``retry``: the same
    provider again, and the buttons."""

    title: str
    body: str
    offers: Offers = "buttons"


# email_unverified where the person can do nothing about it: the provider verifies no address, or
# not this one, or this site does not believe it.
EMAIL_NEVER_VERIFIED, EMAIL_NOT_BELIEVED = "email_never_verified", "email_not_believed"

OLD_INVITATION = "Ask whoever invited you for a new one. If you already have an account, sign in."
UNKNOWN_INVITATION = (
    "It may have been withdrawn, or a part of its link is missing. "
    "Ask whoever invited you for a new one. If you already have an account, sign in."
)

ERRORS: dict[str, ErrorText] = {
    "problem": ErrorText("That didn't work", "Nothing was changed. Reference {ref}."),
    "cancelled": ErrorText(
        "Sign-in wasn't completed",
        "You closed or declined the {provider} screen. Nothing was shared. "
        "If you did neither, {provider} does not allow your account here, and whoever manages it "
        "can tell you why.",
    ),
    "expired": ErrorText(
        "That sign-in took too long",
        "For your safety a sign-in attempt lasts 10 minutes. Start again.",
    ),
    "state_mismatch": ErrorText(
        "We couldn't match that sign-in",
        "It was started in another tab or browser, or used twice. Start again here.",
    ),
    "session_ended": ErrorText(
        "You are signed out", "Your session ended meanwhile. Nothing was changed. Sign in again."
    ),
    "account_deleted": ErrorText(
        "This account was deleted", "It was deleted meanwhile. Nothing else was changed."
    ),
    "cookies": ErrorText(
        "Your browser is blocking cookies",
        "Sign-in needs one cookie from this site. Allow cookies for {host}, then try again.",
        "retry",
    ),
    "several_sessions": ErrorText(
        "Your browser has two sign-ins for this site",
        "Another site has set a cookie that looks like ours, so we can't tell which one is yours. "
        "Sign in again. If this comes back, delete the cookies of {host} and its parent domain.",
    ),
    "provider_error": ErrorText(
        "{provider} couldn't complete the sign-in",
        "{provider} returned an error. Try again, or choose another way.",
        "retry",
    ),
    "grant_ended": ErrorText(
        "Sign in again with {provider}",
        "{provider} doesn't tell us about you any more. Sign in with it again to change that.",
    ),
    "provider_down": ErrorText(
        "{provider} isn't answering",
        "This is on {provider}'s side or the network between us. "
        "Try again in a minute or choose another way.",
        "retry",
    ),
    "misconfigured": ErrorText(
        "{provider} sign-in isn't working on this site",
        "The settings for it were refused; this site's log says why. "
        "Choose another way, or tell {support}. Reference {ref}.",
    ),
    "invalid_token": ErrorText(
        "This sign-in has expired",
        "It may be too old, or meant for another site. Sign in again.",
    ),
    "unknown_account": ErrorText(
        "Nobody here signs in with that yet",
        "Sign in at /auth/sign-in first: it opens the account, or says why not.",
    ),
    "cross_site": ErrorText("That came from another site", "Sign in on this site."),
    "no_email": ErrorText(
        "{provider} didn't share an email address",
        "{product} needs one. Allow email access when {provider} asks, or choose another way.",
        "retry",
    ),
    "email_unverified": ErrorText(
        "Your {provider} email isn't verified",
        "Verify it with {provider}, then sign in again.",
        "retry",
    ),
    EMAIL_NEVER_VERIFIED: ErrorText(
        "{provider} doesn't vouch for email addresses",
        "This site needs an address that is verified. Choose another way to sign in.",
    ),
    EMAIL_NOT_BELIEVED: ErrorText(
        "This {provider} email isn't enough here",
        "This site needs an address whose verification it can rely on. "
        "Choose another way to sign in.",
    ),
    "not_allowed": ErrorText(
        "This account can't sign in here",
        "{email} isn't on the list for this site. Ask {support} if you think it should be.",
    ),
    "needs_consent": ErrorText(
        "{provider} has to tell us a little more",
        "Who may use this site depends on what {provider} says about you, and that was not shared. "
        "Try again, and allow all of it when {provider} asks.",
        "retry",
    ),
    "access_unknown": ErrorText(
        "We couldn't find out whether you may come in",
        "{provider} didn't tell us what this site's rules need. "
        "Try again in a few minutes, or choose another way.",
        "retry",
    ),
    "signups_closed": ErrorText(
        "New accounts are closed",
        "No account here uses this {provider} sign-in. "
        "If you already have one, sign in the way you did before.",
    ),
    "invitation_needed": ErrorText(
        "You need an invitation",
        "No account here uses this {provider} sign-in, and new accounts are by invitation. "
        "Open the link of your invitation first. "
        "If you already have an account, sign in the way you did before.",
    ),
    "invitation_unknown": ErrorText("This invitation isn't valid", UNKNOWN_INVITATION),
    "invitation_used": ErrorText("This invitation was used already", OLD_INVITATION),
    "invitation_expired": ErrorText("This invitation has expired", OLD_INVITATION),
    "invitation_address": ErrorText(
        "This invitation is for another email address",
        "It isn't for {email}. Choose an account that has the invited address, "
        "or ask for a new invitation.",
    ),
    "invitation_unverified": ErrorText(
        "{provider} hasn't verified your email address",
        "This invitation is for {email}, and only an account whose address is verified can use it. "
        "Verify it with {provider}, then sign in again, or choose another way.",
        "retry",
    ),
    "disabled": ErrorText("This account is disabled", "Contact {support}.", "nothing"),
    "identity_suspended": ErrorText(
        "Signing in with {provider} is paused here",
        "Either {provider} told us that your account there is not safe or switched off, or the "
        "owner of this account said that it is not theirs. Sign in another way, or sign in at "
        "{provider} first and start again here.",
    ),
    "account_held": ErrorText(
        "Changes to this account are on hold",
        "Somebody else may have got into it. Your account page says how you end that.",
        "nothing",
    ),
    "pending": ErrorText(
        "This account waits for approval",
        "The person running this site has to let you in first. Then you can sign in.",
        "nothing",
    ),
    "wrong_account": ErrorText("That's a different account", "Sign in as {email} to continue."),
    "not_fresh": ErrorText(
        "{provider} didn't ask you to sign in again",
        "To continue, sign in there once more when it asks. Nothing was changed.",
    ),
    "form_old": ErrorText("That page was out of date", "We've refreshed it. Please choose again."),
    "rate": ErrorText("Too many attempts", "Please wait {minutes}, then try again.", "nothing"),
    "last_way_in": ErrorText("This is your only way to sign in", "Add another before removing it."),
    "last_admin": ErrorText(
        "This is the last administrator",
        "Nothing was changed: make somebody else one first, or use the command line.",
    ),
    "not_found": ErrorText("Page not found", "Check the address, or start from your account."),
}


def error_text(code: str) -> ErrorText:
    """Return the texts of an error; those of a general problem for an unknown code."""
    return ERRORS.get(code, ERRORS["problem"])
