"""The error tree: a code, an HTTP status, and a detail that only the log shows.

The texts for visitors are in web/text/errors.py, by code.
"""

from typing import Any, ClassVar


class SettingsError(Exception):
    """The settings cannot be used. ``faults``: one line per fault, each naming its variable."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


class Problem(Exception):
    """The base of all errors that a person can meet. ``detail`` goes to the log, never to a
    page."""

    code: ClassVar[str] = "problem"
    status: int = 400

    def __init__(self, detail: str = "", *, email: str = "") -> None:
        super().__init__(detail or self.code)
        self.detail = detail
        self.email = email


class SignInError(Problem):
    """Ends a sign-in, a link or a reauthentication without one."""


class Cancelled(SignInError):
    """The person declined at the provider, or may not use this site there."""

    code = "cancelled"
    status = 403


class Expired(SignInError):
    """The flow has expired, or its question was answered before."""

    code = "expired"


class StateMismatch(SignInError):
    """The callback belongs to no flow of this browser, or was used before."""

    code = "state_mismatch"


class SignedOut(StateMismatch):
    """The session that acts has ended meanwhile."""

    code = "session_ended"
    status = 401


class AccountDeleted(SignedOut):
    """The account that acts, or that is acted on, has been deleted meanwhile."""

    code = "account_deleted"


class CookiesBlocked(SignInError):
    """The browser did not return the cookie of the flow."""

    code = "cookies"


class SeveralSessions(Problem):
    """Several session cookies came, and none can be told to be this browser's own."""

    code = "several_sessions"


class ProviderError(SignInError):
    """The provider failed, or its answer was refused."""

    code = "provider_error"
    status = 502


class IdTokenRefused(ProviderError):
    """An ID token is invalid: wrong signature, issuer, audience, time or nonce."""


class CodeRefused(ProviderError):
    """The provider knows our client but not the code: used, expired or invented."""


class AccessRefused(ProviderError):
    """The provider refuses an access token before it has expired."""


class GrantEnded(ProviderError):
    """A provider's authorization has expired or was revoked: only a new sign-in renews it."""

    code = "grant_ended"
    status = 409


class ProviderDown(ProviderError):
    """No connection (502) or no answer in time (504)."""

    code = "provider_down"

    def __init__(
        self, detail: str = "", *, timed_out: bool = False, wait_seconds: int | None = None
    ) -> None:
        super().__init__(detail)
        self.status = 504 if timed_out else 502
        # Set when the circuit breaker did not ask at all (providers/http/breaker.py).
        self.wait_seconds = wait_seconds


class ProviderBusy(ProviderError):
    """It answered that it cannot now (429, 5xx). The page is that of a provider that is down."""

    code = "provider_down"


class Misconfigured(ProviderError):
    """The provider refuses our client id, secret, scope or redirect URI."""

    code = "misconfigured"


class InvalidToken(SignInError):
    """An ID token that an app or One Tap sent, without a flow, is invalid."""

    code = "invalid_token"
    status = 401


class UnknownAccount(InvalidToken):
    """The token is valid, but opens no account here, or a disabled one."""

    code = "unknown_account"


class CrossSite(SignInError):
    """Another site's page sent a request that only this site's pages and apps may send."""

    code = "cross_site"
    status = 403


class NoEmail(SignInError):
    """An address is required (`ALLOWED_EMAIL_DOMAINS`), and the provider shared none."""

    code = "no_email"
    status = 403


class EmailUnverified(SignInError):
    """A verified address is required, and the provider does not verify this one."""

    code = "email_unverified"
    status = 403


class NotAllowed(SignInError):
    """`ALLOWED_EMAIL_DOMAINS` or the rules of `ACCESS_FILE` do not let the person in."""

    code = "not_allowed"
    status = 403


class SignupsClosed(SignInError):
    """`SIGNUPS` is `closed`, and the identity belongs to no account."""

    code = "signups_closed"
    status = 403


class AccountDisabled(SignInError):
    """The operator has disabled the account."""

    code = "disabled"
    status = 403


class WrongAccount(SignInError):
    """Another account came back than the one that had to reauthenticate."""

    code = "wrong_account"
    status = 403


class NotFresh(SignInError):
    """A reauthentication was requested, and the provider returned an old sign-in."""

    code = "not_fresh"
    status = 403


class FormOld(Problem):
    """A form is older than its session, or was forged."""

    code = "form_old"


class TooManyAttempts(SignInError):
    """Too many refused sign-ins from one address, or too many changes of one account."""

    code = "rate"
    status = 429

    def __init__(self, detail: str = "", *, wait_seconds: int = 60) -> None:
        super().__init__(detail)
        self.wait_seconds = wait_seconds


class LastWayIn(Problem):
    """Removing this identity would lock the person out."""

    code = "last_way_in"
    status = 409


class LastAdmin(Problem):
    """The last administrator of a site keeps the right, and an account that works."""

    code = "last_admin"
    status = 409


class NotFound(Problem):
    """It does not exist, or belongs to another person: the response does not say which."""

    code = "not_found"
    status = 404


class RequestFault(Exception):
    """A program's faulty request. Its author reads ``detail`` in the response (RFC 9457), so it
    names headers and fields, and never repeats what was sent.

    ``members``: further members of the response, such as ``errors``, with one entry per field.
    """

    code: ClassVar[str] = "bad_request"
    status: ClassVar[int] = 400

    def __init__(self, detail: str, **members: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.members = members


class InvalidQuery(RequestFault):
    """A parameter is invalid, unknown or given twice; `errors` names it."""

    code = "invalid_query"


class MalformedBody(RequestFault):
    """The framing of the body is malformed: its chunks (RFC 9112 7.1)."""

    code = "malformed_body"


class MalformedJSON(RequestFault):
    """The body is not JSON in UTF-8."""

    code = "malformed_json"


class UnsupportedMediaType(RequestFault):
    """The body is of another media type than the operation accepts."""

    code = "unsupported_media_type"
    status = 415


class InvalidFields(RequestFault):
    """A field is invalid, unknown or read-only (RFC 9110 15.5.21); `errors` names each."""

    code = "invalid_fields"
    status = 422


class CSRFFailed(RequestFault):
    """`X-CSRF-Token` is missing, or does not match the session."""

    code = "csrf"
    status = 403


class ReauthRequired(RequestFault):
    """A sensitive act needs a sign-in of the last 15 minutes."""

    code = "reauth_required"
    status = 403


class TokenUnreadable(Exception):
    """A sealed value does not open: it is another row's, altered, or its key was removed."""
