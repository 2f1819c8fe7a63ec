"""Whether a provider is asked to let the person choose among their accounts there.

A provider that remembers somebody signs them in without a word, which is wrong wherever another
account is meant: after a sign-out, after an account was refused, and for a second one of the same
provider.
"""

from flask import request
from flask import session as browser_cookie

from access.refusals import InvitationAddress, InvitationNeeded, InvitationUnverified
from accounts.flows import Intent
from errors import AccountDisabled, EmailUnverified, NotAllowed, Problem, SignupsClosed

# In Flask's signed cookie, until somebody signs in.
CHOOSE_NEXT = "choose_account"
# The query parameter of a link to another account.
CHOOSE = "choose"
# The same account would be refused again.
REFUSED_ACCOUNTS = (
    AccountDisabled,
    EmailUnverified,
    InvitationAddress,
    InvitationNeeded,
    InvitationUnverified,
    NotAllowed,
    SignupsClosed,
)
# These mean another account than the one that this browser signs in with.
OTHER_ACCOUNTS = (Intent.LINK, Intent.VERIFY_OWNERSHIP)


def choose_next_time() -> None:
    """Have this browser's next sign-in ask for the choice."""
    browser_cookie[CHOOSE_NEXT] = True


def choose_after(error: Problem) -> None:
    """Ask for the choice after a refusal that the same account would meet again."""
    if isinstance(error, REFUSED_ACCOUNTS):
        choose_next_time()


def is_choice_meant(intent: Intent) -> bool:
    """Tell whether a flow that begins now means another account."""
    return intent in OTHER_ACCOUNTS or CHOOSE in request.args or CHOOSE_NEXT in browser_cookie
