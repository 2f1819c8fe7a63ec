"""The authorization endpoint, and where a person continues after they were sent elsewhere."""

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.wrappers import Response

from issuer import authorization, clients, codes, parked, resources, steps
from issuer.authorization import Asked, Refusal
from issuer.documents import is_local_only
from issuer.parameters import Parameters
from issuer.parked import Parked
from issuer.redirects import form_source, host_of
from issuer.steps import Step, Visitor
from storage import now
from storage.readers import reader_of, reading
from views.oidc import answers
from views.oidc.cookies import keep_request, request_secret, used_request
from views.oidc.described import bring_up_to_date
from views.oidc.failures import may_be_answered
from views.oidc.logos import logo_url
from views.oidc.place import admission, current_visitor, is_head, read_form, read_query
from views.oidc.pushed import asked_parameters
from web.authentication import load_without_user, this_user
from web.context import Destination
from web.csrf import csrf
from web.guards import ASKED_FOR, protect
from web.reauthentication import reauth_url
from web.request_info import caller
from web.request_state import request_state
from web.text.words import app_scope_words

authorize = Blueprint("authorize", __name__, url_prefix="/oauth2")
protect(authorize, ASKED_FOR)

Answer = Response | str | tuple[str, int]


@authorize.get("/authorize")
def ask() -> Answer:
    """Take an authorization request. Nothing is stored where nobody has to be asked, and then
    nothing needs the ORM's session."""
    with reading(reader_of(current_app)):
        return _answer(read_query())


def _answer(sent: Parameters) -> Answer:
    asked = _read(sent)
    if not isinstance(asked, Asked):
        return asked
    load_without_user()
    visitor = current_visitor()
    step = steps.next_step(asked, visitor, admission(), asked_at=now(), has_selected=False)
    if step is Step.GO_ON and visitor:
        return finish(asked, visitor)
    if "none" in asked.prompt:
        return answers.send_fault(asked, step.fault)
    return answers.outline(redirect("")) if is_head() else redirect(_park(asked))


@csrf.exempt
@authorize.post("/authorize")
def ask_by_post() -> Answer:
    """Take a request by POST: from another site it comes without our cookies (SameSite=Lax), so it
    is parked, and the browser comes back with them."""
    asked = _read(read_form())
    return redirect(_park(asked), 303) if isinstance(asked, Asked) else asked


def _read(sent: Parameters) -> Asked | Answer:
    """Check what was sent, or was pushed before; return the request, or the answer to a fault."""
    parameters = asked_parameters(sent)
    if parameters is None:
        return answers.show_fault("pushed_unknown")
    if refused := None if is_head() else bring_up_to_date(parameters):
        return answers.show_fault(refused.name, refused.detail)
    asked = authorization.check(parameters)
    if isinstance(asked, Refusal):
        return answers.refuse(asked)
    may_be_answered(asked)
    return asked


def _park(asked: Asked) -> str:
    """Park a request; return where it continues."""
    request_id, secret = parked.park(asked.client.id, asked.parameters, caller())
    keep_request(request_id, secret)
    return url_for("authorize.resume", request_id=request_id)


@authorize.get("/continue/<request_id>")
def resume(request_id: str) -> Answer:
    """Go on with a parked request: to whatever it needs next from its person."""
    waiting = parked.find(request_id, request_secret(request_id))
    if waiting is None:
        return answers.show_fault("request_expired")
    asked = authorization.check(waiting.parameters)
    if isinstance(asked, Refusal):
        return answers.refuse(asked)
    may_be_answered(asked)
    visitor = current_visitor()
    step = _step(asked, waiting, visitor)
    if step is Step.GO_ON and visitor:
        return finish(asked, visitor, request_id)
    if "none" in asked.prompt:
        if not is_head():
            parked.use(request_id)
            used_request(request_id)
        return answers.send_fault(asked, step.fault)
    return _show(step, asked, waiting, visitor)


def _step(asked: Asked, waiting: Parked, visitor: Visitor | None) -> Step:
    return steps.next_step(
        asked,
        visitor,
        admission(),
        asked_at=waiting.created_at,
        has_selected=waiting.has_selected,
    )


def _show(step: Step, asked: Asked, waiting: Parked, visitor: Visitor | None) -> Answer:
    """Show what a step needs, or send the person there and then back here."""
    here = url_for("authorize.resume", request_id=waiting.id)
    match step:
        case Step.SIGN_IN:
            return redirect(url_for("login.choose", next=here))
        case Step.SELECT:
            if not is_head():
                parked.note(waiting.id, has_selected=True)
            return redirect(url_for("login.choose", next=here))
        case Step.SWITCH:
            return redirect(url_for("login.choose", switch=1, next=here))
        case Step.REAUTHENTICATE:
            _ask(waiting, visitor)
            return redirect(reauth_url(here, always=True))
        case _:
            _ask(waiting, visitor)
            return _question(step, asked, waiting.id)


def _ask(waiting: Parked, visitor: Visitor | None) -> None:
    """Note whose answer is asked for: nobody else's counts."""
    assert visitor is not None
    if not is_head():
        parked.note(waiting.id, user_id=visitor.user_id)


def _question(step: Step, asked: Asked, request_id: str) -> Answer:
    """Ask for consent, or say that this person may not use the client."""
    request_state().form_targets = (form_source(asked.redirect_uri),)
    template = "oidc/refused.html" if step is Step.REFUSE else "oidc/consent.html"
    page = render_template(
        template,
        client=asked.client,
        logo=logo_url(asked.client),
        host=host_of(asked.redirect_uri),
        is_native=asked.is_native,
        is_local_only=is_local_only(asked.client.redirect_uris),
        words=app_scope_words(
            asked.scopes, resources.shown([asked.resource.id] if asked.resource else [])
        ),
        request_id=request_id,
        person=this_user(),
        switch=url_for(
            "login.choose", switch=1, next=url_for("authorize.resume", request_id=request_id)
        ),
    )
    return page, 403 if step is Step.REFUSE else 200


@authorize.post("/continue/<request_id>")
def answer(request_id: str) -> Answer:
    """Take the person's answer: once, from the browser and the person that were asked."""
    waiting = parked.find(request_id, request_secret(request_id))
    if waiting is None:
        return answers.show_fault("request_expired")
    asked = authorization.check(waiting.parameters)
    if isinstance(asked, Refusal):
        return answers.refuse(asked)
    may_be_answered(asked)
    visitor = current_visitor()
    again = redirect(url_for("authorize.resume", request_id=request_id), 303)
    if visitor is None or visitor.user_id != waiting.user_id:
        return again
    if request.form.get("answer") != "allow":
        parked.use(request_id)
        used_request(request_id)
        return answers.send_fault(asked, "denied")
    # To decline, nobody has to sign in again first.
    if _step(asked, waiting, visitor) not in (Step.CONSENT, Step.GO_ON):
        return again
    return finish(asked, visitor, request_id, has_consented=True)


def finish(
    asked: Asked, visitor: Visitor, request_id: str | None = None, *, has_consented: bool = False
) -> Answer:
    """Begin the grant, and send its code to the client."""
    if is_head():
        return answers.outline(answers.send(asked, {}))
    try:
        code = codes.issue(
            asked, visitor, caller(), request_id=request_id, has_consented=has_consented
        )
    except SQLAlchemyError:
        return answers.send_unavailable(asked)
    if request_id:
        used_request(request_id)
    if code is None:
        return answers.show_fault("request_expired")
    return answers.send_code(asked, code)


def destination_of(return_to: str) -> Destination | None:
    """Return the client to which a return path continues, in this browser."""
    waiting = _waiting_at(return_to)
    client = clients.named(waiting.parameters.get("client_id") or "") if waiting else None
    redirect_uri = waiting.parameters.get("redirect_uri") if waiting else None
    if client is None or redirect_uri is None:
        return None
    return Destination(
        client.shown_name,
        logo_url(client),
        decline_url=return_to,
        form_target=form_source(redirect_uri),
    )


def login_hint_of(return_to: str) -> str:
    """Return whom the client to which a return path continues expects (OpenID Connect Core
    3.1.2.1)."""
    waiting = _waiting_at(return_to)
    return (waiting.parameters.get("login_hint") or "") if waiting else ""


def _waiting_at(return_to: str) -> Parked | None:
    """Return the request of this browser to which a return path continues."""
    prefix = url_for("authorize.resume", request_id="")
    request_id = return_to.removeprefix(prefix)
    return None if request_id == return_to else parked.find(request_id, request_secret(request_id))
