"""The sign-in page: every provider and, after a failure, what happened and what to do next."""

from urllib.parse import urlsplit

from flask import render_template, request, url_for
from markupsafe import Markup, escape

from accounts.flows import Intent
from errors import AccountDeleted, EmailUnverified, Problem, TooManyAttempts
from web.authentication import current_user, is_signed_in
from web.context import Destination, current_assertion, current_flow, site
from web.cookies import cookie_name
from web.request_state import request_state
from web.return_to import asked_return, local_path
from web.session_cookie import drop_session_token, read_end
from web.text import words
from web.text.access import membership_of
from web.text.errors import EMAIL_NEVER_VERIFIED, EMAIL_NOT_BELIEVED, ErrorText, error_text
from web.text.messages import message

# With more than MANY providers, FEW are shown first.
MANY, FEW = 6, 5
# Flows that the failure page's button begins again.
RETRIED = (Intent.SIGN_IN, Intent.ASK_EMAIL, Intent.VERIFY_OWNERSHIP)
# The forms that begin a signed-in person's flow again: endpoint, and its argument.
AGAIN = {
    Intent.LINK: ("account.link", "provider"),
    Intent.REAUTHENTICATE: ("account.begin_reauth", "identity_id"),
}


def sign_in_page(problem: Problem | None = None) -> str:
    """Render the sign-in page, with the reason of a failure if there is one."""
    flow = current_flow()
    return_to = flow.return_to if flow else asked_return(request.args)
    text = text_of(problem) if problem else None
    offers = text.offers if text else "buttons"
    retry = _provider_to_retry() if offers == "retry" else None
    last_used = _last_used()
    hinted = _hinted(return_to)
    # The provider that "Try again" leads to is not offered a second time below.
    names = [name for name in _offered(last_used) if name != retry]
    names.sort(key=lambda name: (name != hinted, name != last_used))
    app, again = destination(return_to), _form_to_retry()
    if app and again and app.form_target:
        request_state().form_targets = (app.form_target,)
    shown, hidden = (names, []) if "all" in request.args else few_of(names)
    return render_template(
        "login.html",
        problem=text and {"title": fill_in(text.title), "body": fill_in(text.body, problem)},
        code=problem.code if problem else None,
        offers=offers,
        retry=retry,
        return_to="" if return_to == url_for("account.show") else return_to,
        shown=shown,
        more=len(hidden),
        last_used=last_used,
        hinted=hinted,
        choose_another="switch" in request.args,
        app=app,
        is_for_device=return_to.startswith(url_for("device.show")),
        again=again,
        ended=_tell_end(problem),
        not_set_up=message("not_set_up"),
        has_apps=site().firebase is not None,
    )


def destination(return_to: str) -> Destination | None:
    """Return where a person goes on to, as they know it: an application, or another site."""
    if not return_to or local_path(return_to):
        return site().destination_of(return_to) if return_to else None
    return Destination(urlsplit(return_to).netloc)


def _tell_end(problem: Problem | None) -> str | None:
    """Return, once, why this browser's session was ended from elsewhere."""
    ended = None if is_signed_in() else read_end()
    if ended is None:
        return None
    drop_session_token()
    if isinstance(problem, AccountDeleted):
        return None
    return words.SESSION_ENDED[ended.reason].format(membership=membership_of(ended.detail))


def _offered(last_used: str | None) -> list[str]:
    """Return the providers for newcomers, and the one that this browser last signed in with: its
    person may have another, verified address."""
    here = site()
    return [name for name in here.connectors if name in {*here.for_newcomers, last_used}]


def _provider_to_retry() -> str | None:
    """Return the provider of a failed flow that one click can begin again."""
    flow = current_flow()
    may_retry = flow is not None and flow.intent in RETRIED
    return flow.provider if flow and may_retry and flow.provider in site().connectors else None


def few_of(names: list[str]) -> tuple[list[str], list[str]]:
    """Split the providers into those shown first and the others."""
    return (names[:FEW], names[FEW:]) if len(names) > MANY else (names, [])


def _form_to_retry() -> dict[str, str] | None:
    """Return the form that begins a failed link or reauthentication again, for a signed-in
    person."""
    flow = current_flow()
    if flow is None or flow.intent not in AGAIN or not is_signed_in():
        return None
    endpoint, argument = AGAIN[flow.intent]
    action = url_for(endpoint, **{argument: getattr(flow, argument)})
    return {"action": action, "heading": words.HEADINGS[flow.intent], "next": flow.return_to}


def _last_used() -> str | None:
    """Return the provider that this browser last signed in with, if it is still offered."""
    name = request.cookies.get(cookie_name("last_idp"))
    return name if name in site().connectors else None


def _hinted(return_to: str) -> str | None:
    """Return the provider whose own domain an application's login_hint has. Only settings are read,
    so nothing is told of accounts; the hint itself goes nowhere."""
    domain = site().login_hint_of(return_to).rpartition("@")[2].lower() if return_to else ""
    registrations = site().settings.registrations
    owners = [name for name, each in registrations.items() if each.hosted_domain == domain]
    return owners[0] if domain and len(owners) == 1 and owners[0] in site().connectors else None


def text_of(error: Problem) -> ErrorText:
    """Return the words of an error for this request's provider."""
    return error_text(_why_unverified() if isinstance(error, EmailUnverified) else error.code)


def _why_unverified() -> str:
    """Tell apart whether a person can do something about an address that is not verified."""
    connector = site().connectors.get(provider_name() or "")
    trust = connector.provider.email if connector else None
    if connector is None or trust is None or (connector.verifies_email and trust.can_verify):
        return EmailUnverified.code
    return EMAIL_NEVER_VERIFIED if trust.level == "never" else EMAIL_NOT_BELIEVED


def provider_name() -> str | None:
    """Return this request's provider, by its name in settings."""
    if request.blueprint in site().connectors:
        return request.blueprint
    if failed := request_state().failed_provider:
        return failed
    known = current_flow() or current_assertion()
    return known.provider if known else None


def fill_in(template: str, error: Problem | None = None) -> Markup:
    """Fill in the placeholders of a text; values from people and providers are escaped."""
    settings = site().settings
    support = escape(words.OPERATOR)
    if settings.support_url:
        support = Markup('<a href="{}">{}</a>').format(settings.support_url, words.SUPPORT)
    user = current_user()
    email = (error.email if error else "") or (user and user.email)
    return Markup(template).format(  # noqa: S704 (our own text; what fills it is escaped)
        provider=provider_label(),
        product=settings.brand_name,
        host=settings.host,
        ref=request_state().reference,
        support=support,
        email=Markup("<bdi>{}</bdi>").format(email or words.THIS_ACCOUNT),
        minutes=words.minutes(error.wait_seconds) if isinstance(error, TooManyAttempts) else "",
    )


def provider_label() -> str:
    connector = site().connectors.get(request_state().failed_provider or request.blueprint or "")
    flow, assertion = current_flow(), current_assertion()
    if connector is None and flow is not None:
        return site().label(flow.provider)
    if assertion is not None:
        return site().label(assertion.provider)
    return connector.label if connector else words.THE_PROVIDER
