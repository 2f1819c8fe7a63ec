"""Pushed authorization requests: a client sends the request itself, then its address (RFC 9126)."""

from flask import Blueprint
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.wrappers import Response

from errors import TooManyAttempts
from issuer import authorization, parked
from issuer.authorization import Refusal
from issuer.client_authentication import FORM_NAMES
from issuer.faults import PAGE, Refused
from issuer.parameters import Parameters
from telemetry import metrics
from views.oidc.described import bring_up_to_date
from views.oidc.json_answers import allow_any_origin, answer, refuse, refuse_name
from views.oidc.place import is_head, read_form
from views.oidc.proofs import proved_key
from views.oidc.tokens import authenticated, on_database_away, on_too_many
from web.context import site
from web.csrf import csrf
from web.request_info import caller

pushed = Blueprint("pushed", __name__, url_prefix="/oauth2")
csrf.exempt(pushed)
pushed.after_request(allow_any_origin)
pushed.register_error_handler(SQLAlchemyError, on_database_away)
pushed.register_error_handler(TooManyAttempts, on_too_many)


@pushed.post("/par")
def push() -> Response:
    """Take a request, checked as the authorization endpoint would; return its address."""
    if refused := bring_up_to_date(read_form()):
        return refuse(Refused("client_refused", f"{refused.name}: {refused.detail}"))
    found = authenticated()
    if isinstance(found, Response):
        return found
    client, form = found
    values = {name: value for name, value in form.values.items() if name not in FORM_NAMES}
    jkt = proved_key()
    if isinstance(jkt, Refused):
        return refuse(jkt)
    if jkt is not None and values.setdefault("dpop_jkt", jkt) != jkt:
        return refuse_name("key_wrong")
    parameters = Parameters(values | {"client_id": client.client_id}, form.resources)
    asked = authorization.check(parameters)
    if isinstance(asked, Refusal):
        name = asked.name
        return refuse(Refused(name if asked.fault.error != PAGE else "pushed_refused", name))
    if client.is_public:
        site().limits.count_begun("push", client.id, caller().address)
    metrics.count_app("par", "issued")
    request_uri = parked.push(client.id, parameters)
    return answer({"request_uri": request_uri, "expires_in": parked.PUSHED_SECONDS}, 201)


def asked_parameters(sent: Parameters) -> Parameters | None:
    """Return the parameters of an authorization request: those that were sent, or those that were
    pushed before, once; None if these are unknown."""
    request_uri = sent.get("request_uri") or ""
    if not request_uri.startswith(parked.URN) or sent.is_repeated("client_id", "request_uri"):
        return sent
    client_id = sent.get("client_id") or ""
    if is_head():
        return parked.find_pushed(client_id, request_uri)
    return parked.take_pushed(client_id, request_uri)
