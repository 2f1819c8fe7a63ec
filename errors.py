"""The one error tree: a code, an HTTP status, and a detail that only the log sees.

What a visitor reads of an error stands in web/text/errors.py, by its code.
"""

from typing import Any, ClassVar


class SettingsError(Exception):
    """The settings cannot be used. ``faults``: one line per fault, each naming its variable."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


class Problem(Exception):
    """Anything a person can run into. ``detail`` goes to the log, never to a page."""

    code: ClassVar[str] = "problem"
    status: int = 400

    def __init__(self, detail: str = "", *, email: str = "") -> None:
        super().__init__(detail or self.code)
        self.detail = detail
        self.email = email


class SignInError(Problem):
    """Ends a sign-in, a link or a reauthentication without one."""


class Cancelled(SignInError):
    code = "cancelled"
    status = 403


class Expired(SignInError):
    code = "expired"


class StateMismatch(SignInError):
    code = "state_mismatch"


class CookiesBlocked(SignInError):
    code = "cookies"


class ProviderError(SignInError):
    """The provider's side failed. Base of everything raised in ``providers/``."""

    code = "provider_error"
    status = 502


class IdTokenRefused(ProviderError):
    """An ID token does not hold: wrong signature, issuer, audience, time or nonce."""


class CodeRefused(ProviderError):
    """The provider knows our client but not the code: used, expired or made up."""


class AccessRefused(ProviderError):
    """The provider refuses an access token before it has expired."""


class GrantEnded(ProviderError):
    """A provider's grant has expired or was revoked: only a new sign-in brings another."""

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


class Misconfigured(ProviderError):
    code = "misconfigured"


class InvalidToken(SignInError):
    """An ID token that an app or One Tap sent, without a flow, does not hold."""

    code = "invalid_token"
    status = 401


class UnknownAccount(InvalidToken):
    """The token holds, but opens no account here, or a disabled one."""

    code = "unknown_account"


class CrossSite(SignInError):
    """Another site's page sent a request that only this site's pages and apps may send."""

    code = "cross_site"
    status = 403


class NoEmail(SignInError):
    code = "no_email"
    status = 403


class EmailUnverified(SignInError):
    code = "email_unverified"
    status = 403


class NotAllowed(SignInError):
    code = "not_allowed"
    status = 403


class SignupsClosed(SignInError):
    code = "signups_closed"
    status = 403


class AccountDisabled(SignInError):
    code = "disabled"
    status = 403


class WrongAccount(SignInError):
    """Reauthentication was asked of one account and another one came back."""

    code = "wrong_account"
    status = 403


class NotFresh(SignInError):
    """Reauthentication was asked for and the provider returned an old sign-in."""

    code = "not_fresh"
    status = 403


class FormOld(Problem):
    code = "form_old"


class TooManyAttempts(SignInError):
    code = "rate"
    status = 429

    def __init__(self, detail: str = "", *, wait_seconds: int = 60) -> None:
        super().__init__(detail)
        self.wait_seconds = wait_seconds


class LastWayIn(Problem):
    code = "last_way_in"
    status = 409


class NotFound(Problem):
    """No such thing, or another person's: the answer does not say which."""

    code = "not_found"
    status = 404


class RequestFault(Exception):
    """A program's request that cannot be answered as it is. Its author reads ``detail`` in the
    answer (RFC 9457), so it names headers and fields, and never repeats what was sent.

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
    """A sensitive act needs a sign-in of the last 15 minutes."""

    code = "reauth_required"
    status = 403


class TokenUnreadable(Exception):
    """A sealed value does not open: another row's, altered, or sealed with a key that is gone."""
