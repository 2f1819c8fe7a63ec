"""One route for each dialect: a provider's request becomes a delivery, and the delivery notices.

No cookie is read or set, and the answer never tells whether a person has an account here.
"""

from collections.abc import Callable

import structlog
from flask import Blueprint, Response, json, request
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import RequestEntityTooLarge

from inbox import taking
from inbox.notices import Delivery, Dialect, KeysAway, NoticeRefused, Reply
from inbox.taking import Inbox
from storage import now
from telemetry import metrics
from web.context import site
from web.headers import NO_STORE
from web.request_info import caller

log = structlog.get_logger()

MAX_BYTES = 64 * 1024
RETRY_SECONDS = 30
# Counted where a delivery was refused, so that nothing of it was believed.
NOTHING, REFUSED = "none", "refused"


def receiver(dialect: Dialect, inbox: Inbox) -> Callable[[], Response]:
    """Return the view of a dialect."""

    def receive() -> Response:
        address = caller().address
        site().limits.check_notices(address)
        try:
            reply = _take(dialect, inbox)
        except NoticeRefused as refusal:
            site().limits.count_refused_notice(address)
            metrics.count_notice(dialect.provider, NOTHING, REFUSED)
            log.warning("notice_refused", provider=dialect.provider, detail=refusal.detail)
            reply = refusal.reply
        except KeysAway:
            log.warning("notice_postponed", provider=dialect.provider)
            return respond(Reply(503), {"Retry-After": str(RETRY_SECONDS)})
        return respond(reply)

    return receive


def _take(dialect: Dialect, inbox: Inbox) -> Reply:
    reading = dialect.read(read_delivery(dialect))
    taken = taking.take(reading.notices, inbox)
    code = next((each.code for each in taken if each.code), "")
    return reading.reply_with(code) if reading.reply_with else reading.reply


def read_delivery(dialect: Dialect) -> Delivery:
    """Return this request as a delivery. Raises NoticeRefused, or RequestEntityTooLarge."""
    if request.content_length and request.content_length > MAX_BYTES:
        raise RequestEntityTooLarge
    body = request.get_data()
    if len(body) > MAX_BYTES:
        raise RequestEntityTooLarge
    is_form = request.method == "POST"
    if is_form and dialect.mimetypes and request.mimetype not in dialect.mimetypes:
        raise NoticeRefused(Reply(415), "the content type is another")
    fields: MultiDict[str, str] = request.form if is_form else request.args
    if any(len(fields.getlist(name)) > 1 for name in fields):
        raise NoticeRefused(Reply(400), "a field came twice")
    return Delivery(
        request.method, request.headers, request.mimetype, body, fields.to_dict(), at=now()
    )


def respond(reply: Reply, more: dict[str, str] | None = None) -> Response:
    """Return a reply as a response that nothing keeps."""
    text, mimetype = reply.text, reply.mimetype or "text/plain"
    if reply.document is not None:
        text, mimetype = json.dumps(reply.document), "application/json"
    response = Response(text, reply.status, mimetype=mimetype)
    response.headers.extend([NO_STORE, *(more or {}).items()])
    return response


def build_blueprint(dialects: list[Dialect], inbox: Inbox) -> Blueprint:
    """Return the routes of these dialects."""
    blueprint = Blueprint("inbox", __name__, url_prefix="/inbox")
    for dialect in dialects:
        blueprint.add_url_rule(
            f"/{dialect.path}",
            dialect.path.replace("/", "_"),
            receiver(dialect, inbox),
            methods=list(dialect.methods),
            provide_automatic_options=False,
        )
    return blueprint
