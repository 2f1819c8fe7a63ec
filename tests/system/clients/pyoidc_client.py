"""One sign-in by pyoidc. Reads lines of JSON, writes lines of JSON."""

import json
import secrets
import sys
from urllib.parse import urlsplit

from oic.oic import Client
from oic.oic.message import AuthorizationResponse, RegistrationResponse
from oic.utils.authn.client import CLIENT_AUTHN_METHOD


def write(**value: object) -> None:
    print(json.dumps(value), flush=True)


told = json.loads(sys.stdin.readline())
client = Client(client_authn_method=CLIENT_AUTHN_METHOD)
client.provider_config(told["issuer"])
client.store_registration_info(
    RegistrationResponse(client_id=told["id"], client_secret=told["secret"])
)
state, nonce = secrets.token_hex(16), secrets.token_hex(16)
request = client.construct_AuthorizationRequest(
    request_args={
        "client_id": told["id"],
        "response_type": "code",
        "scope": ["openid", "email"],
        "redirect_uri": told["redirect"],
        "state": state,
        "nonce": nonce,
    }
)
write(url=request.request(client.authorization_endpoint))
query = urlsplit(json.loads(sys.stdin.readline())["callback"]).query
answer = client.parse_response(AuthorizationResponse, info=query, sformat="urlencoded")
assert answer["state"] == state
tokens = client.do_access_token_request(
    state=state,
    request_args={"code": answer["code"], "redirect_uri": told["redirect"]},
    authn_method="client_secret_basic",
)
assert tokens["id_token"]["nonce"] == nonce, tokens
userinfo = client.do_user_info_request(state=state)
write(sub=userinfo["sub"], email=userinfo["email"])
