"""Applications that authenticate by a key of their own (private_key_jwt)."""

import json
import secrets
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import requests
from joserfc import jwk, jwt
from werkzeug.serving import make_server
from werkzeug.wrappers import Response

from simulator.server import Quiet
from tests.eavesdropper import EAR
from tests.issuer.relying_party import App
from tests.site import Site

TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
MACHINE = {"grant_type": "client_credentials"}


def make_key(alg: str = "ES256", kid: str = "one") -> jwk.Key:
    if alg == "ES256":
        return jwk.ECKey.generate_key("P-256", {"kid": kid})
    return jwk.RSAKey.generate_key(2048, {"kid": kid})


def public(*keys: jwk.Key) -> dict[str, Any]:
    return {"keys": [{**key.as_dict(private=False), "kid": key.kid} for key in keys]}


def write(path: Path, *keys: jwk.Key) -> str:
    path.write_text(json.dumps(public(*keys)))
    return str(path)


class Keyed(App):
    """Signs an assertion for each request. ``key`` and ``alg`` may be changed."""

    def __init__(self, site: Site, key: jwk.Key, *options: str, alg: str = "ES256") -> None:
        super().__init__(site, "Bank", *options, *("--grant", "client_credentials"))
        self.key, self.alg = key, alg

    def claims_now(self, **changed: Any) -> dict[str, Any]:
        """The claims of an assertion; None takes one away."""
        now = int(time.time())
        usual = {
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": self.site.url,
            "jti": secrets.token_hex(16),
            "iat": now,
            "exp": now + 60,
        }
        return {name: value for name, value in (usual | changed).items() if value is not None}

    def assertion(self, header: dict[str, Any] | None = None, **changed: Any) -> str:
        head = {"alg": self.alg, "kid": self.key.kid, **(header or {})}
        head = {name: value for name, value in head.items() if value is not None}
        made = jwt.encode(head, self.claims_now(**changed), self.key, algorithms=[head["alg"]])
        EAR.learn(made)
        return made

    def post(self, endpoint: str, form: dict[str, Any], **kwargs: Any) -> requests.Response:
        signed = {"client_assertion_type": TYPE, "client_assertion": self.assertion()}
        url = f"{self.site.url}/oauth2/{endpoint}"
        return self.http.post(url, data=signed | form, timeout=60, **kwargs)

    def asks(self, **form: Any) -> tuple[int, str]:
        """Ask for a token of its own; return status and error."""
        answer = self.token(**{**MACHINE, **form})
        return answer.status, answer.error


class Published:
    """The ``jwks_uri`` of an application, served on loopback. ``fail``: what it answers with
    instead, if anything."""

    def __init__(self, *keys: jwk.Key) -> None:
        self.keys: Iterable[jwk.Key] = keys
        self.fail: Callable[[], Response] | None = None
        self.asked = 0
        self._server = make_server("127.0.0.1", 0, self._serve, True, request_handler=Quiet)
        self.url = f"http://127.0.0.1:{self._server.server_port}/jwks"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def _serve(self, environ: Any, start_response: Any) -> Any:
        self.asked += 1
        body = json.dumps(public(*self.keys))
        response = self.fail() if self.fail else Response(body, mimetype="application/json")
        return response(environ, start_response)

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
