"""Going on after a form, to a page of another origin: a provider's, or a registered one."""

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from web.context import site
from web.return_to import local_path
from web.text import words


def go_on(url: str, code: int = 302, *, to: str = "") -> Response:
    """Send a person on. After a form, a page of ours leads to another origin: browsers apply
    form-action to each redirect that a form ends in, and block such a one without a word.

    ``to``: the name of the place, for the page's heading.
    """
    if request.method in ("GET", "HEAD") or (local_path(url) and not leads_away(url)):
        return redirect(url, code)
    return show_way(url, to)


def go_back(url: str, code: int = 302) -> Response:
    """Send a person back to where a flow was begun for. A page of ours leads to another origin:
    this may end a form of the provider, which allows redirects to us only."""
    return go_on(url, code) if local_path(url) else show_way(url)


def show_way(url: str, to: str = "") -> Response:
    """Show a page that goes on by itself."""
    heading = words.TAKING_YOU_TO.format(to) if to else words.TAKING_YOU_BACK
    page = render_template("onward.html", url=url, heading=heading)
    return Response(page, mimetype="text/html")


def leads_away(path: str) -> bool:
    """Tell whether a page of ours may redirect to another origin: where a flow begins."""
    return any(path.startswith(url_for(f"{name}.login")) for name in site().connectors)
