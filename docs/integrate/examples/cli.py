"""Signs in to Quickstep from a terminal: a public client that listens on loopback (RFC 8252).

python cli.py https://login.example.org CLIENT_ID
"""

import base64
import hashlib
import http.server
import json
import secrets
import sys
import urllib.parse
import urllib.request
import webbrowser
from typing import Any


def fetch(url: str, form: dict[str, str] | None = None, token: str = "") -> Any:
    """Return a JSON document."""
    data = urllib.parse.urlencode(form).encode() if form else None
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    with urllib.request.urlopen(urllib.request.Request(url, data, headers)) as answer:  # noqa: S310
        return json.load(answer)


class Callback(http.server.BaseHTTPRequestHandler):
    """Takes the one request with which the browser comes back."""

    def do_GET(self) -> None:
        query = urllib.parse.urlsplit(self.path).query
        self.server.answer = dict(urllib.parse.parse_qsl(query))  # type: ignore[attr-defined]
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"Done. Go back to the terminal.")

    def log_message(self, *_args: object) -> None:
        """Print nothing: the address holds the code."""


def sign_in(issuer: str, client_id: str) -> dict[str, Any]:
    """Return the tokens of whoever signs in in the browser that opens."""
    about = fetch(f"{issuer}/.well-known/openid-configuration")
    verifier, state = secrets.token_urlsafe(48), secrets.token_urlsafe(16)
    digest = hashlib.sha256(verifier.encode()).digest()
    server = http.server.HTTPServer(("127.0.0.1", 0), Callback)
    redirect_uri = f"http://127.0.0.1:{server.server_port}/cb"
    query = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": redirect_uri,
        "scope": "openid profile",
        "state": state,
        "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
    }
    url = f"{about['authorization_endpoint']}?{urllib.parse.urlencode(query)}"
    print(f"Open {url}", flush=True)
    webbrowser.open(url)
    server.handle_request()
    server.server_close()
    answer: dict[str, str] = server.answer  # type: ignore[attr-defined]
    if answer.get("state") != state or answer.get("iss") != about["issuer"]:
        sys.exit("The answer is not ours.")
    if "code" not in answer:
        sys.exit(f"Refused: {answer.get('error')}")
    form = {"grant_type": "authorization_code", "code": answer["code"]}
    form |= {"client_id": client_id, "redirect_uri": redirect_uri, "code_verifier": verifier}
    tokens: dict[str, Any] = fetch(about["token_endpoint"], form)
    person = fetch(about["userinfo_endpoint"], token=tokens["access_token"])
    print(f"Signed in as {person.get('name') or person['sub']}.")
    return tokens


if __name__ == "__main__":
    sign_in(sys.argv[1].rstrip("/"), sys.argv[2])
