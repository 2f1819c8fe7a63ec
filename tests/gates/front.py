"""A browser at hosts behind a proxy, and what the proxy asks about each of its requests."""

from typing import Any
from urllib.parse import urljoin, urlsplit

import requests

from tests.browser import Browser, Page
from tests.commands.console import answer
from tests.eavesdropper import EAR
from tests.site import Site

WIKI, NOTES = "https://wiki.example.org", "https://notes.example.net"
NAVIGATION = {
    "Accept": "text/html,application/xhtml+xml",
    "Sec-Fetch-Mode": "navigate",
    "Sec-Fetch-Dest": "document",
}
FETCH = {"Accept": "*/*", "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"}
IMAGE = {"Accept": "image/avif,*/*", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}
IDENTITY = [
    f"X-Auth-Request-{name}"
    for name in ("User", "Email", "Name", "Groups", "Provider", "Assertion")
]
REDIRECTS = (301, 302, 303, 307, 401)


class Front:
    """One person's browser, at the login server and behind proxies of one kind.

    ``kind``: nginx, traefik or envoy; Caddy asks as Traefik does.
    """

    def __init__(self, site: Site, kind: str = "traefik", gate: str = "wiki") -> None:
        self.site, self.kind, self.gate = site, kind, gate
        self.browser: Browser = site.browser()
        self.cookies: dict[str, dict[str, str]] = {}
        # Everything that the proxy was told to send on to the application.
        self.passed: list[str] = []

    def cookie(self, url: str = WIKI) -> str:
        return self.cookies.get(urlsplit(url).netloc, {}).get("__Host-gate", "")

    def give_cookie(self, value: str, url: str = WIKI) -> None:
        self.cookies[urlsplit(url).netloc] = {"__Host-gate": value}

    def ask(self, url: str = f"{WIKI}/", method: str = "GET", **headers: str) -> requests.Response:
        """Have the proxy ask about one request; keyword arguments are headers of the browser."""
        parts = urlsplit(url)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        jar = self.cookies.setdefault(parts.netloc, {})
        if jar:
            sent.setdefault("Cookie", "; ".join(f"{name}={value}" for name, value in jar.items()))
        target = url[len(f"{parts.scheme}://{parts.netloc}") :] or "/"
        path, verb, told = self._question(parts.scheme, parts.netloc, target, method)
        found = requests.request(
            verb, self.site.url + path, headers=sent | told, allow_redirects=False, timeout=60
        )
        for cookie in found.cookies:
            EAR.learn(cookie.value or "")
            jar[cookie.name] = cookie.value or ""
        if found.status_code == 200:
            self.passed.append(url)
            assert "Set-Cookie" not in found.headers
            assert all(name in found.headers for name in IDENTITY)
        return found

    def _question(
        self, scheme: str, host: str, target: str, method: str
    ) -> tuple[str, str, dict[str, str]]:
        path = f"/forward-auth/{self.gate}" if self.gate else "/forward-auth"
        if self.kind == "nginx":
            url = f"{scheme}://{host}{target}"
            return path, "GET", {"X-Original-URL": url, "X-Original-Method": method}
        if self.kind == "envoy":
            return path + target, method, {"X-Forwarded-Proto": scheme, "Host": host}
        told = {"X-Forwarded-Proto": scheme, "X-Forwarded-Host": host, "X-Forwarded-Uri": target}
        return path, "GET", told | {"X-Forwarded-Method": method}

    def open(self, url: str = f"{WIKI}/") -> Any:
        """Navigate there, as far as redirects lead: the proxy's last answer, or a page of ours."""
        for _ in range(12):
            found = (
                self.browser.fetch(url, headers=NAVIGATION).response
                if url.startswith(self.site.url)
                else self.ask(url, **NAVIGATION)
            )
            location = found.headers.get("Location")
            if found.status_code not in REDIRECTS or location is None:
                return found
            url = urljoin(found.url if url.startswith(self.site.url) else url, location)
        raise AssertionError(f"redirected in circles, last to {url}")

    def sign_in(self, person: str = "grace", provider: str = "google") -> Page:
        return self.browser.sign_in(provider, person)

    def enter(self, url: str = f"{WIKI}/", person: str = "grace") -> "Front":
        """Sign in, and come in."""
        self.sign_in(person)
        found = self.open(url)
        assert found.status_code == 200, found
        return self


def add_gate(site: Site, name: str = "wiki", *options: str, host: str = WIKI) -> Any:
    return answer(site, "gates", "add", name, "--host", host, *options)
