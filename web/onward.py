"""Going on after a form, to a page of another origin."""

from flask import redirect, render_template, request
from werkzeug.wrappers import Response

from web.return_to import local_path


def go_on(url: str, code: int = 302) -> Response:
    """Send a person on. After a form, a page of ours leads to another origin: browsers apply
    form-action to each redirect that a form ends in, and block this one without a word."""
    if request.method in ("GET", "HEAD") or local_path(url):
        return redirect(url, code)
    return Response(render_template("onward.html", url=url), mimetype="text/html")
