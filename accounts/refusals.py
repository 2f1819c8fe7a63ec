"""Refusals of suspended identities and held accounts. The texts for visitors are in
web/text/errors.py."""

from errors import Problem, SignInError


class IdentitySuspended(SignInError):
    """The provider said that this account of its was hijacked or disabled, or the person said that
    it is not theirs."""

    code = "identity_suspended"
    status = 403


class AccountHeld(Problem):
    """Changes of the account wait until its person signs in again and says that it is theirs."""

    code = "account_held"
    status = 403
