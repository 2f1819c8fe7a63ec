"""Faults: every way an application's request is refused, in one table.

A check returns the name of a fault. Names and details are for logs and developers; a client gets
the RFC's code and the description, which repeats nothing that was sent.
"""

from dataclasses import dataclass

PAGE = "page"


@dataclass(frozen=True)
class Fault:
    """``error``: the code of the RFC, or PAGE where there is no client to answer: its person
    reads the description."""

    error: str
    description: str
    status: int = 400


@dataclass(frozen=True)
class Refused:
    """A refusal, returned as a value so that what it wrote is committed. ``name``: of the
    fault. ``detail``: for the log."""

    name: str
    detail: str = ""

    @property
    def fault(self) -> Fault:
        return FAULTS[self.name]


FAULTS: dict[str, Fault] = {
    # Authorization requests, shown on a page: there is nowhere to send the answer.
    "client_id_missing": Fault(PAGE, "client_id is missing"),
    "client_unknown": Fault(PAGE, "there is no client with this client_id"),
    "document_away": Fault(PAGE, "the document at client_id cannot be reached", 502),
    "document_faulty": Fault(PAGE, "the document at client_id does not describe this client"),
    "client_disabled": Fault(PAGE, "this client is disabled"),
    "redirect_uri_missing": Fault(PAGE, "redirect_uri is missing"),
    "redirect_uri_unregistered": Fault(PAGE, "redirect_uri is not registered for this client"),
    "identity_repeated": Fault(PAGE, "client_id or redirect_uri is given twice"),
    "pushed_unknown": Fault(PAGE, "request_uri has expired or was used before"),
    "request_expired": Fault(PAGE, "this request has expired, or began in another browser"),
    # Authorization requests, sent back to the client.
    "parameter_repeated": Fault("invalid_request", "a parameter is given twice"),
    "parameter_malformed": Fault("invalid_request", "a parameter is too long or is no plain text"),
    "request_object": Fault("request_not_supported", "request objects are not supported"),
    "request_uri": Fault("request_uri_not_supported", "request_uri is not supported"),
    "registration": Fault("registration_not_supported", "registration is not supported"),
    "response_type_missing": Fault("invalid_request", "response_type is missing"),
    "response_type_unknown": Fault("unsupported_response_type", "only code is supported"),
    "response_mode_unknown": Fault("invalid_request", "response_mode must be query or form_post"),
    "response_mode_native": Fault("invalid_request", "form_post needs an http or https address"),
    "code_not_allowed": Fault("unauthorized_client", "this client may not use this grant"),
    "pkce_missing": Fault("invalid_request", "code_challenge is required (PKCE)"),
    "pkce_method": Fault("invalid_request", "code_challenge_method must be S256"),
    "pkce_malformed": Fault("invalid_request", "code_challenge must be of 43 base64url characters"),
    "nonce_missing": Fault("invalid_request", "nonce is required without PKCE"),
    "prompt_unknown": Fault("invalid_request", "prompt has an unknown value"),
    "prompt_none_and_more": Fault("invalid_request", "prompt=none stands alone"),
    "max_age_malformed": Fault("invalid_request", "max_age must be a number of seconds"),
    "claims_malformed": Fault("invalid_request", "claims must be a JSON object"),
    "jkt_malformed": Fault("invalid_request", "dpop_jkt must be the thumbprint of a key"),
    "hint_malformed": Fault("invalid_request", "id_token_hint is not an ID token of ours"),
    "resource_unknown": Fault("invalid_target", "resource is not known for this client"),
    "login_required": Fault("login_required", "the person has to sign in"),
    "other_person": Fault("login_required", "another person is signed in"),
    "consent_required": Fault("consent_required", "the person has to consent"),
    "selection_required": Fault("account_selection_required", "the person has to choose"),
    "denied": Fault("access_denied", "the person did not allow it"),
    "not_admitted": Fault("access_denied", "this person may not use this client"),
    # The token endpoint and its neighbours.
    "body_not_form": Fault("invalid_request", "send a form in the body"),
    "client_two_ways": Fault("invalid_request", "authenticate the client in one way only"),
    "client_refused": Fault("invalid_client", "client authentication failed", 401),
    "keys_away": Fault("temporarily_unavailable", "the client's keys cannot be read", 503),
    "grant_type_missing": Fault("invalid_request", "grant_type is missing"),
    "grant_type_unknown": Fault("unsupported_grant_type", "this grant_type is not supported"),
    "grant_type_not_allowed": Fault("unauthorized_client", "this client may not use this grant"),
    "code_missing": Fault("invalid_request", "code is missing"),
    "code_unknown": Fault("invalid_grant", "the code is invalid or has expired"),
    "code_used": Fault("invalid_grant", "the code was used before"),
    "code_redirect_uri": Fault("invalid_grant", "redirect_uri is not that of the authorization"),
    "verifier_missing": Fault("invalid_grant", "code_verifier is missing"),
    "verifier_wrong": Fault("invalid_grant", "code_verifier does not match"),
    "verifier_unexpected": Fault("invalid_grant", "there was no code_challenge"),
    "refresh_missing": Fault("invalid_request", "refresh_token is missing"),
    "refresh_unknown": Fault("invalid_grant", "the refresh token is invalid or has expired"),
    "refresh_reused": Fault("invalid_grant", "the refresh token was used before"),
    "grant_ended": Fault("invalid_grant", "the grant has ended"),
    "scope_wider": Fault("invalid_scope", "scope is wider than what was granted"),
    "scope_unknown": Fault("invalid_scope", "this client may not have this scope"),
    "key_wrong": Fault("invalid_grant", "the grant is bound to another key"),
    "proof_invalid": Fault("invalid_dpop_proof", "the DPoP proof is invalid, too old or was used"),
    "pushed_refused": Fault("invalid_request", "client_id or redirect_uri is missing or wrong"),
    "device_missing": Fault("invalid_request", "device_code is missing"),
    "device_unknown": Fault("invalid_grant", "the device_code is invalid or was used"),
    "device_expired": Fault("expired_token", "the device_code has expired"),
    "device_pending": Fault("authorization_pending", "the person has not answered yet"),
    "device_slow_down": Fault("slow_down", "ask less often, by five seconds"),
    "device_denied": Fault("access_denied", "the person did not allow it"),
    "token_missing": Fault("invalid_request", "token is missing"),
    # Requests with an access token (RFC 6750 3.1).
    "bearer_missing": Fault("", "an access token is needed", 401),
    "bearer_two_places": Fault("invalid_request", "send the access token in one place only"),
    "bearer_malformed": Fault("invalid_request", "the Authorization header is malformed"),
    "bearer_invalid": Fault("invalid_token", "the access token is invalid or has expired", 401),
    "bearer_proof": Fault("invalid_token", "the access token needs a DPoP proof of its key", 401),
    "bearer_scope": Fault("insufficient_scope", "the access token has no scope openid", 403),
    # Sign-out requests, shown on a page.
    "logout_malformed": Fault(PAGE, "a parameter is given twice or is no plain text"),
    "logout_hint": Fault(PAGE, "id_token_hint is not an ID token of ours"),
    "logout_client": Fault(PAGE, "client_id is not that of the hint, or unknown"),
    "post_logout_uri": Fault(PAGE, "post_logout_redirect_uri is not registered"),
    # Anywhere.
    "path_unknown": Fault("invalid_request", "there is nothing at this path", 404),
    "method_wrong": Fault("invalid_request", "this method is not for this path", 405),
    "body_too_large": Fault("invalid_request", "the body is too large", 413),
    "http_malformed": Fault("invalid_request", "the request is malformed"),
    "failed": Fault("server_error", "it failed here, and is in the log", 500),
    "unavailable": Fault("temporarily_unavailable", "try again in a moment", 503),
    "too_many_failures": Fault("temporarily_unavailable", "too many failed requests", 429),
}
