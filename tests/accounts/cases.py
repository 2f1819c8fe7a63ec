"""Addresses, modes and names of decisions, for the tests of the linking rules."""

from typing import Literal

from accounts.decisions import Create, NeedsOwnership, Refused, SignInDecision
from errors import SignupsClosed
from providers.base import Profile

# The address of the identity that signs in, weakest claim first.
ADDRESSES = {
    "none": Profile(subject="1"),
    "unverified": Profile(subject="1", email="ada@example.org"),
    "verified": Profile(subject="1", email="ada@example.org", email_verified=True),
    "trusted": Profile(
        subject="1", email="ada@example.org", email_verified=True, email_trusted=True
    ),
}
MODES: tuple[Literal["ask", "auto", "separate"], ...] = ("ask", "auto", "separate")


# NeedsOwnership, by may_create.
PROOFS = {True: "prove|create", False: "prove"}


def named(decision: SignInDecision) -> str:
    """A decision in the words of the table."""
    match decision:
        case Create():
            return {"identity_unknown": "create", "kept_separate": "apart"}[decision.reason]
        case NeedsOwnership():
            return PROOFS[decision.may_create]
        case Refused(error=SignupsClosed()):
            return "closed"
    return type(decision).__name__.lower()


LISTED = ("example.org", "navy.example")
