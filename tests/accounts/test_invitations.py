"""Invitations that many use concurrently, and sign-ins that do not come to an end."""

from functools import partial

import pytest

import accounts
from access import invitations
from access.refusals import InvitationUsed
from accounts.decisions import Create, Refused
from accounts.rules import Policy
from errors import NotFound
from tests.accounts.desk import CALLER, Desk, assertion

INVITED = Policy(signups="invited")


def invite(desk: Desk, uses: int = 1) -> str:
    invitation, _token = desk.site.inside(invitations.add, uses=uses)
    return str(invitation.id)


@pytest.mark.parametrize("uses", [1, 3])
def test_twenty_people_together_get_no_more_accounts_than_an_invitation_may_open(desk, uses):
    invitation_id = invite(desk, uses)
    newcomers = [assertion(subject=str(number)) for number in range(20)]
    enter = partial(desk.try_to_enter, policy=INVITED, invitation_id=invitation_id)
    outcomes = desk.at_once(*[partial(enter, who) for who in newcomers])
    refused = [decision.error for decision, _seat in outcomes if isinstance(decision, Refused)]
    assert desk.site.user_count() == uses
    assert [type(error) for error in refused] == [InvitationUsed] * (20 - uses)
    desk.check_nobody_is_half_made()
    desk.check_nobody_was_in_deadlock()


def test_one_person_in_twenty_tabs_uses_an_invitation_once(desk):
    invitation_id = invite(desk, uses=5)
    enter = partial(desk.enter, assertion(), INVITED, invitation_id=invitation_id)
    seats = desk.at_once(*[enter] * 20)
    assert len({seat.user_id for seat in seats}) == 1
    assert desk.site.rows("SELECT used FROM invitations") == [(1,)]


def test_a_sign_in_that_is_rolled_back_uses_up_no_invitation(desk):
    invitation_id = invite(desk)
    who, other = assertion(subject="1"), assertion(subject="2")

    def fails() -> None:
        accounts.sign_in(who, INVITED, CALLER, invitation_id=invitation_id)
        raise NotFound("something goes wrong after the account was made")

    ready, (decision, seat) = desk.overtake(
        fails, lambda: desk.try_to_enter(other, INVITED, invitation_id=invitation_id)
    )
    assert isinstance(ready, NotFound)
    assert decision == Create(invitation_id=invitation_id)
    assert seat
    assert desk.site.user_count() == 1
