"""An application under test: it signs people in through the site, strictly as the standards say."""

import base64
import hashlib
import secrets
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests
from joserfc import jwk, jws, jwt

from issuer import clients
from tests.browser import Browser, Page
from tests.commands.console import answer
from tests.eavesdropper import EAR
from tests.site import Site

CALLBACK = "https://notes.example/callback"


def challenge_of(verifier: str) -> str:
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def query_of(url: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))


@dataclass
class Tokens:
    """A token response."""

    status: int
    document: dict[str, Any] = field(repr=False)
    headers: Any = field(repr=False, default=None)

    @property
    def error(self) -> str:
        return str(self.document.get("error", ""))

    @property
    def access(self) -> str:
        return str(self.document["access_token"])

    @property
    def refresh(self) -> str:
        return str(self.document["refresh_token"])


class App:
    """One client of a site, as its own server or device sees it."""

    def __init__(self, site: Site, name: str = "Notes", *options: str) -> None:
        self.site = site
        if not any(option == "--redirect-uri" for option in options):
            options = ("--redirect-uri", CALLBACK, *options)
        registered = answer(site, "clients", "add", name, *options)
        self.registered = registered
        self.client_id: str = registered["client_id"]
        self.secret: str | None = registered.get("client_secret")
        self.redirect_uri = options[options.index("--redirect-uri") + 1]
        self.http = requests.Session()
        self.http.trust_env = False
        EAR.learn(self.secret or "")
        self.verifier = secrets.token_urlsafe(48)

    @property
    def client(self) -> clients.Client:
        return self.site.inside(clients.get, self.client_id)  # type: ignore[no-any-return]

    def authorization(self, **parameters: str | None) -> dict[str, str]:
        """The parameters of a usual request; None takes one away."""
        usual: dict[str, str | None] = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "scope": "openid profile email",
            "state": "the state",
            "nonce": "the nonce",
            "code_challenge": challenge_of(self.verifier),
            "code_challenge_method": "S256",
        }
        return {name: value for name, value in (usual | parameters).items() if value is not None}

    def ask(self, browser: Browser, **parameters: str | None) -> Page:
        """Send a browser to the authorization endpoint, and on along our pages."""
        return browser.get("/oauth2/authorize", params=self.authorization(**parameters))

    def sign_in(self, browser: Browser, **parameters: str | None) -> dict[str, str]:
        """Sign a signed-in person in here, with consent if asked; return the answer."""
        page = self.ask(browser, **parameters)
        if page.status == 200:
            page = allow(browser, page)
        assert page.location.startswith(self.redirect_uri), page
        return query_of(page.location)

    def post(self, endpoint: str, form: dict[str, Any], **kwargs: Any) -> requests.Response:
        """Ask an endpoint without a browser, with the client's credentials."""
        if self.secret and "auth" not in kwargs and "headers" not in kwargs:
            kwargs["auth"] = (self.client_id, self.secret)
        elif not self.secret:
            form = {"client_id": self.client_id, **form}
        url = f"{self.site.url}/oauth2/{endpoint}"
        response = self.http.post(url, data=form, timeout=60, **kwargs)
        if "json" in response.headers.get("Content-Type", ""):
            document = response.json()
            EAR.learn(*(str(document.get(name, "")) for name in ("access_token", "refresh_token")))
        return response

    def token(self, **form: Any) -> Tokens:
        response = self.post("token", form)
        return Tokens(response.status_code, response.json(), response.headers)

    def exchange(self, code: str, **form: Any) -> Tokens:
        usual = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.redirect_uri,
            "code_verifier": self.verifier,
        }
        given = {name: value for name, value in (usual | form).items() if value is not None}
        return self.token(**given)

    def tokens(self, browser: Browser, **parameters: str | None) -> Tokens:
        """Sign a signed-in person in, to the tokens."""
        got = self.exchange(self.sign_in(browser, **parameters)["code"])
        assert got.status == 200, got.document
        return got

    def refresh(self, refresh_token: str, **form: Any) -> Tokens:
        return self.token(grant_type="refresh_token", refresh_token=refresh_token, **form)

    def userinfo(self, access_token: str) -> requests.Response:
        return self.http.get(
            f"{self.site.url}/oauth2/userinfo",
            headers={"Authorization": f"Bearer {access_token}"},
            timeout=60,
        )

    def introspect(self, token: str) -> dict[str, Any]:
        return dict(self.post("introspect", {"token": token}).json())

    def is_active(self, token: str) -> bool:
        return bool(self.introspect(token)["active"])

    def keys(self) -> jwk.KeySet:
        document = requests.get(f"{self.site.url}/oauth2/jwks", timeout=60).json()
        return jwk.KeySet.import_key_set(document)

    def claims(self, id_token: str) -> dict[str, Any]:
        """The claims of an ID token whose signature holds."""
        return dict(jwt.decode(id_token, self.keys(), algorithms=["RS256", "ES256"]).claims)

    def header(self, token: str) -> dict[str, Any]:
        return dict(jws.extract_compact(token.encode()).headers())


def allow(browser: Browser, page: Page, answer: str = "allow") -> Page:
    """Answer the consent page; return the redirect to the application."""
    return browser.fetch(
        page.actions()[-1], "POST", data={"csrf_token": page.csrf_token, "answer": answer}
    )
