"""Undoing what was done for a person's safety: a suspension, a hold, a planned deletion."""

from typing import Any

from flask import Blueprint

from accounts import reinstating as verbs
from errors import NotFound
from views.api.admin.guard import program_caller, protect_programs
from views.api.admin.people import describe_person, find_person
from views.api.admin.schemas import User
from views.api.operations import operation

reinstating = Blueprint("api_admin_reinstating", __name__, url_prefix="/api/v1/admin/users")
protect_programs(reinstating)

FACTS: dict[str, Any] = {"is_of_programs": True, "answer": User}


@reinstating.post("/<user_id>/identities/<identity_id>/lift")
@operation(problems={404: "No such person or identity, or it is not suspended."}, **FACTS)
def lift_user_suspension(user_id: str, identity_id: str) -> User:
    """Have a suspended way to sign in open its account again."""
    if not verbs.lift_suspension(find_person(user_id).id, identity_id, program_caller()):
        raise NotFound("not suspended")
    return describe_person(user_id)


@reinstating.post("/<user_id>/release")
@operation(problems={404: "No such person, or the account is not on hold."}, **FACTS)
def release_user(user_id: str) -> User:
    """Release the hold on an account: it can be changed again."""
    if not verbs.release_hold(find_person(user_id).id, program_caller()):
        raise NotFound("not on hold")
    return describe_person(user_id)


@reinstating.post("/<user_id>/keep")
@operation(problems={404: "No such person, or no deletion is planned."}, **FACTS)
def keep_user(user_id: str) -> User:
    """Call off the planned deletion of an account that nothing opens any more."""
    if not verbs.keep(find_person(user_id).id, program_caller()):
        raise NotFound("no deletion is planned")
    return describe_person(user_id)
