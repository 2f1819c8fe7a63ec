"""Authorization requests: an ordered list of checks (OpenID Connect Core 3.1.2, RFC 6749 4.1.1).

The first checks find whom to answer; what they refuse is shown on a page, never sent anywhere. The
others are sent back to the client. Each check returns the name of a fault, or None.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from errors import IdTokenRefused
from issuer import clients, redirects, resources, scopes
from issuer.clients import CODE, Client
from issuer.faults import FAULTS, Fault
from issuer.hints import read_hint
from issuer.parameters import Parameters, is_returnable
from issuer.resources import Resource

QUERY, FORM_POST = "query", "form_post"
PROMPTS = frozenset({"none", "login", "consent", "select_account", "create"})
JKT = CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
MAX_AGE = re.compile(r"[0-9]{1,10}")


@dataclass
class Asked:
    """A request, as far as it has been checked."""

    parameters: Parameters
    client: Client = field(init=False)
    redirect_uri: str = ""
    mode: str = QUERY
    scopes: tuple[str, ...] = ()
    prompt: frozenset[str] = frozenset()
    max_age: int | None = None
    # The person that id_token_hint or claims names, as the client knows them.
    expected_sub: str | None = None
    claims: dict[str, Any] | None = None
    resource: Resource | None = None

    @property
    def state(self) -> str | None:
        """Return the state that goes back to the client: none that is too long for an address."""
        state = self.parameters.get("state")
        return state if is_returnable(state) else None

    @property
    def is_native(self) -> bool:
        """Return whether any app on the person's device could be the receiver (RFC 8252 8.6)."""
        return self.client.is_public and redirects.is_native(self.redirect_uri)


@dataclass(frozen=True)
class Refusal:
    """A refused request. ``asked``: whom to answer; None: it is shown on a page."""

    name: str
    asked: Asked | None = None

    @property
    def fault(self) -> Fault:
        return FAULTS[self.name]


def identity_given_once(asked: Asked) -> str | None:
    return (
        "identity_repeated" if asked.parameters.is_repeated("client_id", "redirect_uri") else None
    )


def client_known(asked: Asked) -> str | None:
    client_id = asked.parameters.get("client_id")
    if client_id is None:
        return "client_id_missing"
    client = clients.named(client_id)
    if client is None:
        return "client_unknown"
    asked.client = client
    return None if client.is_enabled else "client_disabled"


def redirect_uri_registered(asked: Asked) -> str | None:
    """RFC 9700 2.1: compared as text; none is taken for granted."""
    uri = asked.parameters.get("redirect_uri")
    if uri is None:
        return "redirect_uri_missing"
    client = asked.client
    if not redirects.find_registered(client.redirect_uris, uri, is_public=client.is_public):
        return "redirect_uri_unregistered"
    asked.redirect_uri = uri
    return None


def response_mode_known(asked: Asked) -> str | None:
    """First of all that is sent back, because it says how."""
    mode = asked.parameters.get("response_mode") or QUERY
    if mode not in (QUERY, FORM_POST):
        return "response_mode_unknown"
    if mode == FORM_POST and not asked.redirect_uri.startswith(("https://", "http://")):
        return "response_mode_native"
    asked.mode = mode
    return None


def parameters_plain(asked: Asked) -> str | None:
    if asked.parameters.is_repeated():
        return "parameter_repeated"
    is_plain = asked.parameters.are_plain() and is_returnable(asked.parameters.get("state"))
    return None if is_plain else "parameter_malformed"


def no_request_object(asked: Asked) -> str | None:
    for name, fault in (
        ("request", "request_object"),
        ("request_uri", "request_uri"),
        ("registration", "registration"),
    ):
        if asked.parameters.get(name) is not None:
            return fault
    return None


def response_type_code(asked: Asked) -> str | None:
    kind = asked.parameters.get("response_type")
    if kind is None:
        return "response_type_missing"
    if kind != "code":
        return "response_type_unknown"
    return None if asked.client.may_use(CODE) else "code_not_allowed"


def scopes_granted(asked: Asked) -> str | None:
    """Unknown scopes are dropped; the answer says what was granted (RFC 6749 3.3)."""
    wanted = scopes.split(asked.parameters.get("scope"))
    of_resource = asked.resource.scopes if asked.resource else []
    asked.scopes = scopes.allowed(wanted, [*scopes.of_people(asked.client.scopes), *of_resource])
    return None


def pkce_used(asked: Asked) -> str | None:
    """RFC 7636 4.4.1, RFC 9700 2.1.1: S256 alone; no method would mean plain."""
    challenge = asked.parameters.get("code_challenge")
    method = asked.parameters.get("code_challenge_method")
    if challenge is None and method is None:
        if asked.client.needs_pkce or asked.client.is_public:
            return "pkce_missing"
        return None if asked.parameters.get("nonce") else "nonce_missing"
    if challenge is None:
        return "pkce_missing"
    if method != "S256":
        return "pkce_method"
    return None if CHALLENGE.fullmatch(challenge) else "pkce_malformed"


def prompt_known(asked: Asked) -> str | None:
    prompt = frozenset(scopes.split(asked.parameters.get("prompt")))
    if not prompt <= PROMPTS:
        return "prompt_unknown"
    if "none" in prompt and len(prompt) > 1:
        return "prompt_none_and_more"
    asked.prompt = prompt
    return None


def max_age_number(asked: Asked) -> str | None:
    text = asked.parameters.get("max_age")
    if text is not None:
        if not MAX_AGE.fullmatch(text):
            return "max_age_malformed"
        asked.max_age = int(text)
    return None


def key_thumbprint(asked: Asked) -> str | None:
    """RFC 9449 10."""
    jkt = asked.parameters.get("dpop_jkt")
    return None if jkt is None or JKT.fullmatch(jkt) else "jkt_malformed"


def claims_object(asked: Asked) -> str | None:
    """OpenID Connect Core 5.5."""
    text = asked.parameters.get("claims")
    if text is None:
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return "claims_malformed"
    if not isinstance(value, dict):
        return "claims_malformed"
    members = {name: value.get(name) or {} for name in ("userinfo", "id_token")}
    if not all(isinstance(member, dict) for member in members.values()):
        return "claims_malformed"
    asked.claims = {name: sorted(map(str, member)) for name, member in members.items()}
    asked.expected_sub = _expected_sub(members["id_token"])
    return None


def _expected_sub(id_token: Mapping[str, Any]) -> str | None:
    wanted = id_token.get("sub")
    value = wanted.get("value") if isinstance(wanted, dict) else None
    return value if isinstance(value, str) else None


def hint_valid(asked: Asked) -> str | None:
    text = asked.parameters.get("id_token_hint")
    if text is not None:
        try:
            asked.expected_sub = read_hint(text, asked.client)
        except IdTokenRefused:
            return "hint_malformed"
    return None


def resource_known(asked: Asked) -> str | None:
    """RFC 8707 2: registered ones only, and one for each token."""
    wanted = set(asked.parameters.resources)
    if not wanted:
        return None
    resource = resources.find(next(iter(wanted))) if len(wanted) == 1 else None
    if resource is None or resource.id not in asked.client.resources:
        return "resource_unknown"
    asked.resource = resource
    return None


TO_FIND_THE_CLIENT = (identity_given_once, client_known, redirect_uri_registered)
CHECKS = (
    response_mode_known,
    parameters_plain,
    no_request_object,
    response_type_code,
    resource_known,
    scopes_granted,
    prompt_known,
    max_age_number,
    pkce_used,
    key_thumbprint,
    claims_object,
    hint_valid,
)


def check(parameters: Parameters) -> Asked | Refusal:
    """Check a request; return it, or the first fault."""
    asked = Asked(parameters)
    for find in TO_FIND_THE_CLIENT:
        if name := find(asked):
            return Refusal(name)
    for each in CHECKS:
        if name := each(asked):
            return Refusal(name, asked)
    return asked
