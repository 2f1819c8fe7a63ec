"""One sign-in by requests_oauth2client, with a key instead of a secret. Reads lines of JSON, writes
lines of JSON."""

import json
import sys

from requests_oauth2client import OAuth2Client, PrivateKeyJwt


def write(**value: object) -> None:
    print(json.dumps(value), flush=True)


told = json.loads(sys.stdin.readline())
client = OAuth2Client.from_discovery_endpoint(
    f"{told['issuer']}/.well-known/openid-configuration",
    issuer=told["issuer"],
    auth=PrivateKeyJwt(told["id"], told["key"], aud=told["issuer"]),
    redirect_uri=told["redirect"],
    testing=True,
)
request = client.authorization_request(scope="openid email offline_access")
write(url=str(request))
answer = request.validate_callback(json.loads(sys.stdin.readline())["callback"])
tokens = client.authorization_code(answer, validate=True)
userinfo = client.userinfo(tokens)
again = client.refresh_token(tokens.refresh_token)
seen = client.introspect_token(again.access_token)
client.revoke_refresh_token(again.refresh_token)
after = client.introspect_token(again.access_token)
write(sub=userinfo["sub"], seen=seen["active"], after=after["active"])
