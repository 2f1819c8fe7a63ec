"""What is done with a grant after the sign-in: renew it, read the profile again, give it back.

The protocol only; whose grant it is, and where it is kept, others know (tokens.py,
revocations.py). https://www.rfc-editor.org/rfc/rfc6749#section-6
https://www.rfc-editor.org/rfc/rfc7009
"""

import json
from collections.abc import Mapping
from functools import cache
from typing import Any
from urllib.parse import quote, urljoin

import requests

from errors import AccessRefused, Misconfigured, ProviderError
from providers.base import Get, Profile
from providers.http.responses import HTTPAnswer, read_json
from providers.http.transport import HEADERS
from providers.protocols.blueprint import LoginBlueprint
from providers.protocols.oauth2 import NOT_KEPT
from providers.protocols.openid_connect import check_userinfo

Token = Mapping[str, Any]

# RFC 7009 has no such error: an unknown token is as good as revoked. Google has.
GONE_ERRORS = frozenset({"invalid_token"})


def prepare(connector: LoginBlueprint) -> None:
    """Read beforehand what ``renew`` will need, so that it is one call. Raises ProviderError."""
    if connector.issuer:
        connector.issuer.prepare()


def renew(connector: LoginBlueprint, subject: str, token: Token) -> dict[str, Any]:
    """The next token response for this person, by refresh token (RFC 6749 6).

    Raises CodeRefused (``invalid_grant``: the grant is over), Misconfigured, else ProviderError,
    also when the answer is about another person than ``subject``.
    """
    answer = connector.ask_for_token(
        {"grant_type": "refresh_token", "refresh_token": str(token.get("refresh_token"))}
    )
    if connector.issuer and answer.get("id_token") is not None:
        connector.issuer.check_refreshed_id_token(
            answer["id_token"],
            client_id=connector.client_id,
            subject=_sub(subject, token),
            access_token=answer["access_token"],
        )
    kept = {"sub": token["sub"]} if "sub" in token else {}
    return {name: value for name, value in answer.items() if name not in NOT_KEPT} | kept


def _sub(subject: str, token: Token) -> str:
    """The sub of a person whose subject here is made of other claims, kept beside the token."""
    return str(token.get("sub", subject))


def read_profile(connector: LoginBlueprint, subject: str, token: Token) -> Profile:
    """What the provider says now about the person of this token.

    Of an issuer, by userinfo, which must be about ``subject``; the caller compares the
    profile's. Raises AccessRefused when the token is not taken, else ProviderError.
    """
    return connector.provider.profile(_reader(connector, subject, token))


def _reader(connector: LoginBlueprint, subject: str, token: Token) -> Get:
    session = connector.new_session()
    session.token = dict(token)

    def fetch(url: str) -> Any:
        method, _, path = url.rpartition(" ")
        response = session.request(method or "GET", path)
        if (
            response.status_code == 401
            or _code(response) in connector.provider.access_refused_errors
        ):
            raise AccessRefused(f"the API answered {response.status_code} to the access token")
        return read_json(response)

    @cache
    def userinfo() -> Mapping[str, Any]:
        claims = check_userinfo(fetch(connector.endpoint_url("userinfo")), _sub(subject, token))
        return {**claims, "iss": connector.issuer.url if connector.issuer else None}

    def get(url: str) -> Any:
        if url in ("token", "form_user"):
            return dict(token) if url == "token" else {}
        # There is no id_token outside a flow; userinfo has the same claims.
        is_claims = connector.issuer is not None and url in ("id_token", "userinfo")
        return userinfo() if is_claims else fetch(url)

    return get


def can_revoke(connector: LoginBlueprint) -> bool:
    """Whether the provider has a way to take a grant back. Raises ProviderError."""
    if connector.provider.revocation:
        return True
    return connector.issuer is not None and bool(connector.issuer.metadata().revocation_endpoint)


def revoke(connector: LoginBlueprint, token: Token) -> None:
    """Give a grant back; done too where the provider does not know it any more.

    Raises Misconfigured or ProviderError when it was not done.
    """
    response = _ask_to_revoke(connector, token)
    if response.status_code in (200, 204) or _is_gone(connector, response):
        return
    where = f"the revocation endpoint answered {response.status_code}"
    raise Misconfigured(where) if response.status_code in (401, 403) else ProviderError(where)


def _ask_to_revoke(connector: LoginBlueprint, token: Token) -> HTTPAnswer:
    access_token, way = str(token.get("access_token", "")), connector.provider.revocation
    if way is None:
        return _post_revocation(connector, connector.endpoint_url("revocation"), token)
    if way.asked_by == "form":
        return _post_revocation(
            connector, urljoin(connector.endpoint_url("token"), way.path), token
        )
    url = urljoin(connector.api_url, way.path.replace("{client_id}", quote(connector.client_id)))
    if way.asked_by == "client":
        credentials = connector.client_id, connector.client_secret
        body = {"access_token": access_token}
        request = requests.Request(way.method, url, HEADERS, json=body, auth=credentials)
    else:
        proof = connector.provider.proof(connector.client_secret, access_token)
        headers = {**HEADERS, "Authorization": f"Bearer {access_token}"}
        request = requests.Request(way.method, url, headers, params=proof)
    return connector.transport.send(request.prepare())


def _post_revocation(connector: LoginBlueprint, url: str, token: Token) -> HTTPAnswer:
    """RFC 7009 2.1: the refresh token, where there is one, takes the access tokens along."""
    kind = "refresh_token" if token.get("refresh_token") else "access_token"
    return connector.post_as_client(url, {"token": str(token.get(kind)), "token_type_hint": kind})


def _is_gone(connector: LoginBlueprint, response: HTTPAnswer) -> bool:
    way = connector.provider.revocation
    if way and way.asked_by != "form" and response.status_code == 404:
        return True
    if way and way.asked_by == "person" and response.status_code == 401:
        return True
    return _code(response) in GONE_ERRORS | connector.provider.access_refused_errors


def _code(response: HTTPAnswer) -> str:
    """The error code in a JSON answer: of OAuth's form, or of the Graph API's; else empty."""
    try:
        answer = json.loads(response.content)
    except (ValueError, RecursionError):
        return ""
    error = answer.get("error") if isinstance(answer, dict) else None
    return str(error.get("code")) if isinstance(error, dict) else str(error or "")
