"""An issuer's metadata: its endpoints (OpenID Connect Discovery 3)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from config.validators import check_endpoint, is_loopback
from errors import ProviderError
from keys.jwt import quoted
from providers.http.transport import prepare

PLAIN_URL = re.compile(r"[\x21-\x7e]{1,2048}")


@dataclass(frozen=True)
class Metadata:
    """The parts of the metadata that we use (OpenID Connect Discovery 3)."""

    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None
    revocation_endpoint: str | None
    client_auth_methods: tuple[str, ...]
    sends_iss: bool
    # Whether userinfo may be a signed JWT (OpenID Connect Core 5.3.2).
    signs_userinfo: bool = False
    # The values of ``prompt``, if the issuer says which it has (Initiating User Registration 1.0).
    prompts: tuple[str, ...] = ()
    # RFC 9126 5.
    pushed_endpoint: str | None = None
    demands_pushed: bool = False
    # Algorithms of client assertions; empty if the issuer does not say.
    assertion_algorithms: tuple[str, ...] = ()


def read_metadata(answer: object, url: str, named: str, variable: str = "ISSUER") -> Metadata:
    """Read the metadata of the issuer at ``url``, which must call itself ``named``.

    Raises ProviderError; ``variable`` is the setting that its message names.
    """
    if not isinstance(answer, dict):
        raise ProviderError("the metadata are not a JSON object")
    # Discovery 4.3: otherwise one issuer could impersonate another.
    if answer.get("issuer") != named:
        raise ProviderError(_another_issuer(answer.get("issuer"), url, variable))
    return Metadata(
        authorization_endpoint=_endpoint(answer, "authorization_endpoint", url),
        token_endpoint=_endpoint(answer, "token_endpoint", url),
        jwks_uri=_endpoint(answer, "jwks_uri", url),
        userinfo_endpoint=_optional_endpoint(answer, "userinfo_endpoint", url),
        revocation_endpoint=_optional_endpoint(answer, "revocation_endpoint", url),
        client_auth_methods=_client_auth_methods(answer),
        sends_iss=answer.get("authorization_response_iss_parameter_supported") is True,
        signs_userinfo=_signs_userinfo(answer),
        prompts=_texts(answer.get("prompt_values_supported")),
        pushed_endpoint=_optional_endpoint(answer, "pushed_authorization_request_endpoint", url),
        demands_pushed=answer.get("require_pushed_authorization_requests") is True,
        assertion_algorithms=_texts(answer.get("token_endpoint_auth_signing_alg_values_supported")),
    )


def _texts(values: object) -> tuple[str, ...]:
    listed = values if isinstance(values, list) else []
    return tuple(value for value in listed if isinstance(value, str))


def _another_issuer(given: object, url: str, variable: str) -> str:
    """Say which issuer the metadata name, which one is configured, and what to write instead."""
    said = f"the metadata name another issuer: {quoted(given)}, while {variable} is {url}"
    if not isinstance(given, str) or not PLAIN_URL.fullmatch(given):
        return f"{said}; its operator must mend that"
    if given.rstrip("/") == url.rstrip("/"):
        return f"{said}; set {variable}={given}"
    return f"{said}; if you mean that one, set {variable}={given}"


def _signs_userinfo(answer: Mapping[str, Any]) -> bool:
    algorithms = answer.get("userinfo_signing_alg_values_supported")
    return isinstance(algorithms, list) and any(each != "none" for each in algorithms)


def _endpoint(answer: Mapping[str, Any], name: str, issuer: str) -> str:
    url = answer.get(name)
    # Printable ASCII (RFC 3986 2): anything else fails, or is misread, where it is used.
    if not isinstance(url, str) or not PLAIN_URL.fullmatch(url):
        raise ProviderError(f"the metadata's {name} is not a plain URL")
    try:
        check_endpoint(url)
        prepare("GET", url)
    except (ValueError, ProviderError) as error:
        raise ProviderError(f"the metadata's {name}: {error}") from None
    # A remote issuer must not send requests to this machine.
    if is_loopback(urlsplit(url).hostname) and not is_loopback(urlsplit(issuer).hostname):
        raise ProviderError(f"the metadata's {name} is on this machine")
    return url


def _optional_endpoint(answer: Mapping[str, Any], name: str, issuer: str) -> str | None:
    return _endpoint(answer, name, issuer) if answer.get(name) else None


def _client_auth_methods(answer: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the offered client authentication; unsaid, it is Basic (Discovery 3)."""
    offered = answer.get("token_endpoint_auth_methods_supported")
    if not isinstance(offered, list):
        return ("client_secret_basic",)
    return tuple(method for method in offered if isinstance(method, str))
