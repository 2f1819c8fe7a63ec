"""The one error tree: a code for the log, words for the visitor, a detail that only the log sees.

The words are templates; the page fills in ``{provider}``, ``{product}``, ``{host}``,
``{email}``, ``{support}``, ``{ref}`` and ``{minutes}`` (see views/problems.py).
"""

from typing import Any, ClassVar, Literal

Offers = Literal["buttons", "retry", "nothing"]


class SettingsError(Exception):
    """The settings cannot be used. ``faults``: one line per fault, each naming its variable."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


class Problem(Exception):
    """Anything a person can run into. ``detail`` goes to the log, never to a page.

    ``offers`` is what the page lets them do: ``buttons`` (every way to sign in), ``retry``
    (the same way again, and the buttons) or nothing.
    """

    code: ClassVar[str] = "problem"
    status: int = 400
    title: ClassVar[str] = ""
    body: ClassVar[str] = ""
    offers: ClassVar[Offers] = "buttons"

    def __init__(self, detail: str = "", *, email: str = "") -> None:
        super().__init__(detail or self.code)
        self.detail = detail
        self.email = email


class SignInError(Problem):
    """A way a sign-in, a link or a renewed proof can end without one."""


class Cancelled(SignInError):
    code = "cancelled"
    status = 403
    title = "Sign-in wasn't completed"
    body = "You closed or declined the {provider} screen. Nothing was shared."


class Expired(SignInError):
    code = "expired"
    title = "That sign-in took too long"
    body = "For your safety a sign-in attempt lasts 10 minutes. Start again."


class StateMismatch(SignInError):
    code = "state_mismatch"
    title = "We couldn't match that sign-in"
    body = "It was started in another tab or browser, or used twice. Start again here."


class CookiesBlocked(SignInError):
    code = "cookies"
    offers = "retry"
    title = "Your browser is blocking cookies"
    body = "Sign-in needs one cookie from this site. Allow cookies for {host}, then try again."


class ProviderError(SignInError):
    """The provider's side failed. Base of everything raised in ``providers/``."""

    code = "provider_error"
    status = 502
    title = "{provider} couldn't complete the sign-in"
    body = "It answered with a problem we can't fix from here. Reference {ref}."


class IdTokenRefused(ProviderError):
    """What should be an ID token of this person, for us, and still good, is not."""


class CodeRefused(ProviderError):
    """The provider knows our client but not the code: used, expired or made up."""


class AccessRefused(ProviderError):
    """The provider does not take an access token, although its time is not over."""


class GrantEnded(ProviderError):
    """A provider's grant is over, or was taken back: only a new sign-in brings another."""

    code = "grant_ended"
    status = 409
    title = "Sign in again with {provider}"
    body = "{provider} doesn't tell us about you any more. Sign in with it again to change that."


class ProviderDown(ProviderError):
    """No connection (502) or no answer in time (504)."""

    code = "provider_down"
    offers = "retry"
    title = "{provider} isn't answering"
    body = (
        "This is on {provider}'s side or the network between us. "
        "Try again in a minute or choose another way."
    )

    def __init__(
        self, detail: str = "", *, timed_out: bool = False, wait_seconds: int | None = None
    ) -> None:
        super().__init__(detail)
        self.status = 504 if timed_out else 502
        # Known where it was not asked at all (providers/breaker.py).
        self.wait_seconds = wait_seconds


class Misconfigured(ProviderError):
    code = "misconfigured"
    title = "{provider} sign-in isn't working on this site"
    body = (
        "The settings for it were refused. The site's owner has been told. "
        "Choose another way. Reference {ref}."
    )


class InvalidToken(SignInError):
    """An ID token that came from outside, in place of a flow, does not hold."""

    code = "invalid_token"
    status = 401
    title = "That sign-in is no longer good"
    body = "It may be too old, or meant for another site. Sign in again."


class UnknownAccount(InvalidToken):
    """The token holds, but opens no account here, or one that is switched off."""

    code = "unknown_account"
    title = "Nobody here signs in with that yet"
    body = "Sign in at /auth/sign-in first: it opens the account, or says why not."


class CrossSite(SignInError):
    """Another site's page sent what only this site's pages, or no page at all, may send."""

    code = "cross_site"
    status = 403
    title = "That came from another site"
    body = "Sign in on this site."


class NoEmail(SignInError):
    code = "no_email"
    status = 403
    offers = "retry"
    title = "{provider} didn't share an email address"
    body = "{product} needs one. Allow email access when {provider} asks, or choose another way."


class EmailUnverified(SignInError):
    code = "email_unverified"
    status = 403
    offers: ClassVar[Offers] = "retry"
    title = "Your {provider} email isn't verified"
    body = "Verify it with {provider}, then sign in again."


class EmailNeverVerified(EmailUnverified):
    """The same, at a provider that never says so: there is nothing that the person could do."""

    offers: ClassVar[Offers] = "buttons"
    title = "{provider} doesn't vouch for email addresses"
    body = "This site needs an address that is verified. Choose another way to sign in."


class NotAllowed(SignInError):
    code = "not_allowed"
    status = 403
    title = "This account can't sign in here"
    body = "{email} isn't on the list for this site. Ask {support} if you think it should be."


class SignupsClosed(SignInError):
    code = "signups_closed"
    status = 403
    title = "New accounts are closed"
    body = (
        "No account here uses this {provider} sign-in. "
        "If you already have one, sign in the way you did before."
    )


class AccountDisabled(SignInError):
    code = "disabled"
    status = 403
    offers = "nothing"
    title = "This account is switched off"
    body = "Contact {support}."


class WrongAccount(SignInError):
    """Proof was asked of one account and another one came back."""

    code = "wrong_account"
    status = 403
    title = "That's a different account"
    body = "Sign in as {email} to continue."


class NotFresh(SignInError):
    """Proof was asked anew and an old one came back."""

    code = "not_fresh"
    status = 403
    title = "{provider} didn't ask you to sign in again"
    body = "To continue, sign in there once more when it asks. Nothing was changed."


class FormOld(Problem):
    code = "form_old"
    title = "That page was out of date"
    body = "We've refreshed it. Please choose again."


class TooManyAttempts(SignInError):
    code = "rate"
    status = 429
    offers = "nothing"
    title = "Too many attempts"
    body = "Please wait {minutes}, then try again."

    def __init__(self, detail: str = "", *, wait_seconds: int = 60) -> None:
        super().__init__(detail)
        self.wait_seconds = wait_seconds


class LastWayIn(Problem):
    code = "last_way_in"
    status = 409
    title = "This is your only way to sign in"
    body = "Add another before removing it."


class NotFound(Problem):
    """No such thing, or not this person's: the two look alike from outside."""

    code = "not_found"
    status = 404
    title = "Page not found"
    body = "Check the address, or start from your account."


class RequestFault(Exception):
    """A program's request that cannot be answered as it is. Its author reads ``detail`` in the
    answer (RFC 9457), so the words speak of headers and fields, and never hold what was sent.

    ``members``: what else the answer has, such as ``errors``, a line for each field.
    """

    code: ClassVar[str] = "bad_request"
    status: ClassVar[int] = 400

    def __init__(self, detail: str, **members: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.members = members


class InvalidQuery(RequestFault):
    code = "invalid_query"


class MalformedJSON(RequestFault):
    code = "malformed_json"


class UnsupportedMediaType(RequestFault):
    code = "unsupported_media_type"
    status = 415


class InvalidFields(RequestFault):
    """Well-formed JSON, but not what the operation takes (RFC 9110 15.5.21)."""

    code = "invalid_fields"
    status = 422


class CSRFFailed(RequestFault):
    code = "csrf"
    status = 403


class ReauthRequired(RequestFault):
    """A sensitive act, and the last proof of who is asking is over 15 minutes old."""

    code = "reauth_required"
    status = 403


class TokenUnreadable(Exception):
    """A sealed value does not open: another row's, altered, or sealed with a key that is gone."""
