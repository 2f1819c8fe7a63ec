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


def challenge_of(verifier: str) -> str:
    """Return the PKCE challenge of a verifier (RFC 7636 4.2)."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def ask(about: dict[str, str], query: dict[str, str], server: http.server.HTTPServer) -> str:
    """Open the browser, and return the code with which it comes back."""
    url = f"{about['authorization_endpoint']}?{urllib.parse.urlencode(query)}"
    print(f"Open {url}", flush=True)
    webbrowser.open(url)
    server.handle_request()
    server.server_close()
    answer: dict[str, str] = server.answer  # type: ignore[attr-defined]
    if answer.get("state") != query["state"] or answer.get("iss") != about["issuer"]:
        sys.exit("The answer is not ours.")
    if "code" not in answer:
        sys.exit(f"Refused: {answer.get('error')}")
    return answer["code"]


def sign_in(issuer: str, client_id: str) -> dict[str, Any]:
    """Return the tokens of whoever signs in in the browser that opens."""
    about = fetch(f"{issuer}/.well-known/openid-configuration")
    server = http.server.HTTPServer(("127.0.0.1", 0), Callback)
    verifier = secrets.token_urlsafe(48)
    client = {
        "client_id": client_id,
        "redirect_uri": f"http://127.0.0.1:{server.server_port}/cb",
    }
    query = client | {
        "response_type": "code",
        "scope": "openid profile",
        "state": secrets.token_urlsafe(16),
        "code_challenge": challenge_of(verifier),
        "code_challenge_method": "S256",
    }
    code = ask(about, query, server)
    form = {"grant_type": "authorization_code", "code": code, "code_verifier": verifier}
    tokens: dict[str, Any] = fetch(about["token_endpoint"], client | form)
    person = fetch(about["userinfo_endpoint"], token=tokens["access_token"])
    print(f"Signed in as {person.get('name') or person['sub']}.")
    return tokens


if __name__ == "__main__":
    sign_in(sys.argv[1].rstrip("/"), sys.argv[2])
