"""How a token is revoked at its provider. https://www.rfc-editor.org/rfc/rfc7009"""

import base64
from urllib.parse import quote, urljoin

from errors import Misconfigured, ProviderBusy, ProviderError
from providers.answers import HTTPAnswer
from providers.http.responses import is_passing, is_success
from providers.http.transport import HEADERS
from providers.parts import Revocation
from providers.protocols.connector import Connector, Token, with_query
from providers.protocols.error_codes import GONE_ERRORS, api_error_code


def revoke(connector: Connector, way: Revocation | None, token: Token) -> None:
    """Revoke a token; without a ``way``, as the issuer's metadata say.

    Success too if the provider does not know it any more.

    Raises Misconfigured or ProviderError if it was not revoked.
    """
    response = _send_revocation(connector, way, token)
    if is_success(response) or (not is_passing(response) and _is_gone(connector, way, response)):
        return
    where = f"the revocation endpoint answered {response.status_code}"
    if is_passing(response):
        raise ProviderBusy(where)
    raise Misconfigured(where) if response.status_code in (401, 403) else ProviderError(where)


def _send_revocation(connector: Connector, way: Revocation | None, token: Token) -> HTTPAnswer:
    if way is None:
        return _post_form(connector, connector.endpoint_url("revocation"), token)
    if way.auth == "form":
        return _post_form(connector, urljoin(connector.endpoint_url("token"), way.path), token)
    url = urljoin(connector.api_url, way.path.replace("{client_id}", quote(connector.client_id)))
    if way.auth == "client":
        pair = f"{connector.client_id}:{connector.client_secret}".encode()
        headers = {**HEADERS, "Authorization": f"Basic {base64.b64encode(pair).decode()}"}
        document = {"access_token": str(token.get("access_token", ""))}
        return connector.http.ask(way.method, url, headers=headers, document=document)
    header, params = connector.credentials(token)
    return connector.http.ask(way.method, with_query(url, params), headers={**HEADERS, **header})


def _post_form(connector: Connector, url: str, token: Token) -> HTTPAnswer:
    """Revoke as in RFC 7009 2.1: revoking a refresh token, if there is one, also ends its access
    tokens."""
    kind = "refresh_token" if token.get("refresh_token") else "access_token"
    return connector.post_as_client(url, {"token": str(token.get(kind)), "token_type_hint": kind})


def _is_gone(connector: Connector, way: Revocation | None, response: HTTPAnswer) -> bool:
    if way and way.auth != "form" and response.status_code == 404:
        return True
    if way and way.auth == "bearer" and response.status_code == 401:
        return True
    return api_error_code(response) in GONE_ERRORS | connector.provider.errors.access_refused
