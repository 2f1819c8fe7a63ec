"""Groups: all of them, and the people in one."""

from flask import Blueprint, render_template, request
from werkzeug.exceptions import NotFound

from access import groups as rows
from accounts import directory
from web.administration import protect_admin

groups = Blueprint("admin_groups", __name__, url_prefix="/admin/groups")
protect_admin(groups)

PAGE_SIZE = 50


@groups.get("")
def show_all() -> str:
    """Show the groups that somebody is in, by name."""
    return render_template("admin/groups.html", groups=rows.all_groups())


@groups.get("/<name>")
def show(name: str) -> str:
    """Show who is in a group, and why."""
    after = request.args.get("after", "")
    found = rows.members(name, after=after, limit=PAGE_SIZE + 1)
    if not found:
        raise NotFound
    shown = found[:PAGE_SIZE]
    names = directory.names({each.user_id for each in shown})
    return render_template(
        "admin/group.html",
        name=name,
        members=[{"member": each, "name": names.get(each.user_id)} for each in shown],
        is_first=not after,
        after=shown[-1].user_id if len(found) > len(shown) else None,
    )
