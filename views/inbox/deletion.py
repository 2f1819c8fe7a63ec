"""The status page of a deletion that somebody asked for at their provider: what became of it, and
nothing that names anybody."""

import re

from flask import Blueprint, abort, make_response, render_template
from werkzeug.wrappers import Response

from inbox import deletions
from web.context import site
from web.headers import NO_STORE

deletion = Blueprint("deletion", __name__)
CODE = re.compile(r"[A-Z2-7]{20}")


@deletion.get("/inbox/deletion/<code>")
def show(code: str) -> Response:
    status = deletions.status_of(code) if CODE.fullmatch(code) else None
    if status is None:
        abort(404)
    response = make_response(
        render_template(
            "inbox/deletion.html", status=status, provider_label=site().label(status.provider)
        )
    )
    response.headers["X-Robots-Tag"] = "noindex"
    response.headers.extend([NO_STORE])
    return response
