"""Groups: all of them, and the people in one."""

from datetime import UTC, datetime
from typing import Any

from flask import Blueprint

from access import groups as rows
from errors import NotFound
from views.api.admin.guard import protect_programs
from views.api.admin.site_schemas import Group, GroupList, Member, MemberList
from views.api.operations import operation
from views.api.paging import cut
from views.api.schemas import PageQuery, of_rows

groups = Blueprint("api_admin_groups", __name__, url_prefix="/api/v1/admin/groups")
protect_programs(groups)

FACTS: dict[str, Any] = {"is_of_programs": True}
# People in a group stand in the order of their ids.
NO_TIME = datetime(1970, 1, 1, tzinfo=UTC)


@groups.get("")
@operation(answer=GroupList, **FACTS)
def list_groups() -> GroupList:
    """List the groups that somebody is in, by name."""
    return GroupList(items=of_rows(Group, rows.all_groups()), next_cursor=None)


@groups.get("/<group>/members")
@operation(query=PageQuery, answer=MemberList, **FACTS)
def list_group_members(group: str, query: PageQuery) -> MemberList:
    """List the people in a group, by id."""
    after = query.cursor[1] if query.cursor else ""
    found = rows.members(group, after=after, limit=query.limit + 1) if rows.is_name(group) else []
    if not found and not after:
        raise NotFound("nobody is in that group")
    shown, following = cut(found, query.limit, lambda member: (NO_TIME, member.user_id))
    return MemberList(items=of_rows(Member, shown), next_cursor=following)
