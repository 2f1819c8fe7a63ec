"""Whether people without an account get one: SIGNUPS, and the invitation that they bring. Pure."""

from dataclasses import dataclass
from typing import Literal

from access.refusals import InvitationNeeded
from errors import SignInError, SignupsClosed

Signups = Literal["open", "invited", "approval", "closed"]


@dataclass(frozen=True)
class Invited:
    """The invitation that a newcomer brings; ``refusal``: why it opens no account for them;
    ``bypass``: whether it takes the place of a rule of access."""

    id: str
    refusal: SignInError | None = None
    bypass: bool = False

    @property
    def is_admitted(self) -> bool:
        """Whether it lets the newcomer in without a rule."""
        return self.bypass and self.refusal is None


@dataclass(frozen=True)
class Newcomer:
    """A person without an account: why they get none, the invitation that they use, and whether
    their account waits for approval."""

    refusal: SignInError | None = None
    invitation_id: str | None = None
    is_pending: bool = False


def judge(signups: Signups, invited: Invited | None) -> Newcomer:
    """Decide whether somebody gets a new account, as far as it depends on these."""
    if signups == "closed":
        return Newcomer(SignupsClosed())
    if invited:
        return Newcomer(invited.refusal, invited.id)
    if signups == "invited":
        return Newcomer(InvitationNeeded())
    return Newcomer(is_pending=signups == "approval")
