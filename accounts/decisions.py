"""Decisions of the linking rules (rules.py), each a value with a reason."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from errors import SignInError


@dataclass(frozen=True)
class Known:
    """The identity opens this account: sign in."""

    user_id: str
    reason: ClassVar[str] = "identity_known"


@dataclass(frozen=True)
class Create:
    """A new account. ``invitation_id``: the invitation that it uses. ``is_pending``: it waits for
    the operator's approval."""

    reason: Literal["identity_unknown", "kept_separate"] = "identity_unknown"
    invitation_id: str | None = None
    is_pending: bool = False


@dataclass(frozen=True)
class Join:
    """The operator allows joining by address, and both sides are verified."""

    user_id: str
    reason: ClassVar[str] = "email_verified_on_both_sides"


@dataclass(frozen=True)
class NeedsOwnership:
    """An account has this verified address: nothing happens until its owner signs in to it and
    confirms.

    ``may_create``: a separate account is allowed. An old account that never verified the address
    may have been planted, and one that no identity opens any more can never be confirmed: neither
    may lock the owner of the address out.
    """

    user_ids: tuple[str, ...]
    may_create: bool
    reason: ClassVar[str] = "email_known"


@dataclass(frozen=True)
class NeedsKeeping:
    """The account is about to be deleted, because its identity was gone at its provider: the person
    is asked whether to keep it."""

    user_id: str
    reason: ClassVar[str] = "deletion_planned"


@dataclass(frozen=True)
class NeedsSwitch:
    """The browser is signed in to another account: the person is asked before changing over."""

    then: Known | Create | Join
    reason: ClassVar[str] = "signed_in_as_another"


@dataclass(frozen=True)
class Link:
    """A new identity for the signed-in person."""

    reason: ClassVar[str] = "identity_unknown"


@dataclass(frozen=True)
class AlreadyLinked:
    reason: ClassVar[str] = "identity_known"


@dataclass(frozen=True)
class NeedsMerge:
    """The identity opens another account. The person has just signed in to both, so a merge may be
    offered."""

    user_id: str
    reason: ClassVar[str] = "identity_of_another_account"


@dataclass(frozen=True)
class Refused:
    error: SignInError

    @property
    def reason(self) -> str:
        return self.error.code


SignInDecision = Known | Create | Join | NeedsOwnership | NeedsKeeping | NeedsSwitch | Refused
LinkDecision = Link | AlreadyLinked | NeedsMerge | Refused
