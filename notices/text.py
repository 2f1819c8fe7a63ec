"""The words of each kind of mail.

``{product}``, ``{site}`` (its host) and the facts of a mail's data stand in braces. ``facts``: what
is listed of the data, where it has it. A kind with ``action`` has one link, where its data has
``path``.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from notices.mails import MailKind

FACTS: Mapping[str, str] = {
    "at": "When",
    "device": "Device",
    "country": "Country",
    "provider": "Provider",
    "app": "Application",
    "host": "Receiver",
    "reason": "Reason",
}
NOT_ME = "This wasn't me"
IF_NOT_YOU = (
    "If it wasn't you, open this page. {consequence} Nothing happens until you press the button "
    "there."
)
REVIEW = (
    "If it wasn't you, sign in, look at the activity of your account, and remove what isn't yours."
)
NOTHING_TO_DO = "If it was you, there is nothing to do."
WHY = "You get this mail because it is about your account at {site}."
NO_ANSWERS = "Answers to it are not read."
WHY_OPERATOR = "You get this mail because you operate {site}."
NEVER = "We never ask for a password or a code by mail."
CONTACT = "Questions: {support}"
MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)


@dataclass(frozen=True)
class Words:
    """The words of a kind of mail. ``before_action``: the sentence before the link."""

    subject: str
    sentences: tuple[str, ...]
    action: str = ""
    before_action: str = ""
    facts: tuple[str, ...] = ("at", "device", "country")
    is_for_operator: bool = False


def _not_me(consequence: str) -> str:
    return IF_NOT_YOU.format(consequence=consequence)


WORDS: Mapping[MailKind, Words] = {
    MailKind.NEW_DEVICE: Words(
        "New sign-in to your {product} account",
        (
            (
                "Somebody signed in to your {product} account with a browser that was not used for "
                "it lately."
            ),
            NOTHING_TO_DO,
        ),
        NOT_ME,
        _not_me("It signs that browser out and stops changes to your account."),
        ("at", "device", "country", "provider"),
    ),
    MailKind.IDENTITY_LINKED: Words(
        "{provider} was connected to your {product} account",
        ("{provider} can now be used to sign in to your {product} account.", NOTHING_TO_DO),
        NOT_ME,
        _not_me("It takes this connection out of use and stops changes to your account."),
    ),
    MailKind.IDENTITY_REMOVED: Words(
        "{provider} was removed from your {product} account",
        ("{provider} can no longer be used to sign in to your {product} account.", REVIEW),
        "Sign in",
    ),
    MailKind.CONNECTED_TO_APP: Words(
        "{app} was connected to your {product} account",
        (
            "The application {app} may now use your {product} account, within what was allowed.",
            NOTHING_TO_DO,
        ),
        NOT_ME,
        _not_me("It takes the connection away and stops changes to your account."),
    ),
    MailKind.MERGED: Words(
        "Two {product} accounts became one",
        (
            (
                "The accounts that used the addresses of this mail are now one account, with the "
                "sign-in methods of both."
            ),
            "If you did not want this, contact the people who run {site}.",
        ),
        "Sign in",
    ),
    MailKind.EMAIL_CHANGED: Words(
        "The address of your {product} account changed",
        ("Your {product} account now has another e-mail address.", NOTHING_TO_DO),
        NOT_ME,
        _not_me("It stops further changes to your account."),
    ),
    MailKind.DOWNLOADED: Words(
        "Your {product} data was downloaded",
        ("Somebody who was signed in downloaded the data of your account.", NOTHING_TO_DO),
        NOT_ME,
        _not_me("It signs everybody out of your account and stops changes to it."),
    ),
    MailKind.DELETION_PLANNED: Words(
        "Your {product} account will be deleted on {date}",
        (
            "Nothing opens your {product} account any more, so it will be deleted on {date}.",
            "To keep it, sign in before that day.",
        ),
        "Keep my account",
        facts=("at", "provider"),
    ),
    MailKind.DELETED: Words(
        "Your {product} account was deleted",
        ("Your {product} account was deleted, with everything that belonged to it.",),
    ),
    MailKind.PROVIDER_TOOK_BACK: Words(
        "{provider} told us about your account",
        (
            (
                "{provider} told us that the permission for {product} was taken back there. You "
                "were signed out of {product}, and we forgot what {provider} had given us."
            ),
            "If you did not do this, look at the security settings of your {provider} account.",
            "You can sign in again whenever you like.",
        ),
        "Sign in",
        facts=("at",),
    ),
    MailKind.PROVIDER_SUSPENDED: Words(
        "{provider} told us about your account",
        (
            (
                "{provider} told us that your account there may be in the wrong hands, or is "
                "disabled. Until you sign in with {provider} again, it does not open your "
                "{product} account."
            ),
            (
                "First make your {provider} account safe: change its password there, and look at "
                "its devices."
            ),
        ),
        "Sign in",
        facts=("at",),
    ),
    MailKind.PROVIDER_REMOVED: Words(
        "{provider} told us about your account",
        (
            (
                "{provider} told us that your account there is gone, so it no longer opens your "
                "{product} account."
            ),
            "Other ways to sign in to {product} go on working.",
        ),
        "Sign in",
        facts=("at",),
    ),
    MailKind.INVITED: Words(
        "You're invited to {product}",
        ("You can get an account at {product}. The invitation is good until {date}.",),
        "Open the invitation",
        facts=(),
    ),
    MailKind.APPROVED: Words(
        "You can use your {product} account now",
        ("Your {product} account was approved.",),
        "Sign in",
        facts=(),
    ),
    MailKind.WAITING: Words(
        "Somebody waits for your approval at {product}",
        ("Somebody signed up at {product} and gets in once you approve.",),
        "See who is waiting",
        facts=("at", "provider"),
        is_for_operator=True,
    ),
    MailKind.SIGN_IN_AGAIN: Words(
        "Please sign in to {product} again",
        ("The people who run {product} ask you to sign in to your account once more.",),
        "Sign in",
        facts=(),
    ),
    MailKind.MERGE_HELP: Words(
        "Two accounts at {product}: make them one?",
        (
            (
                "The people who run {product} believe that you have two accounts there. You can "
                "make them one; you sign in to both for that, and nothing happens before."
            ),
            "If you do not want this, ignore this mail.",
        ),
        "Make them one",
        facts=(),
    ),
    MailKind.MORE_HAPPENED: Words(
        "More happened in your {product} account",
        (
            (
                "So much happened in your {product} account today that we send no more mails about "
                "it until tomorrow."
            ),
            (
                "The activity of your account lists everything. If some of it wasn't you, remove "
                "what isn't yours."
            ),
        ),
        "See the activity",
        facts=("at",),
    ),
    MailKind.WEBHOOK_OFF: Words(
        "A webhook of {product} was turned off",
        (
            (
                "A webhook did not take what we sent it, for as long as we tried, so nothing more "
                "is sent to it."
            ),
            "Once it works again, enable it again: flask --app app webhooks enable.",
        ),
        facts=("at", "host", "reason"),
        is_for_operator=True,
    ),
    MailKind.TEST: Words(
        "Test from {product}",
        ("This is a test. Mail from {product} arrives here.",),
        facts=(),
        is_for_operator=True,
    ),
}
