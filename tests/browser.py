"""A browser without a screen: cookies, redirects, forms; and verbs for tests."""

import html
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urljoin, urlsplit

import requests

from simulator.visit import Callback, choose
from tests.eavesdropper import EAR

if TYPE_CHECKING:
    from tests.site import Site

REDIRECTS = (301, 302, 303, 307, 308)
# What a screen reader does not read, such as the letter of a provider without a mark.
HIDDEN = r'<span class="[^"]*" aria-hidden="true">.*?</span>'


class Page:
    """A response, as a user sees it."""

    def __init__(self, response: requests.Response) -> None:
        self.response = response
        self.status = response.status_code
        self.url = response.url
        self.path = urlsplit(response.url).path
        self.html = response.text
        self.headers = response.headers
        self.location = response.headers.get("Location", "")

    def __repr__(self) -> str:
        return f"<Page {self.status} {self.url} {self.heading!r} {self.alert!r}>"

    @property
    def text(self) -> str:
        """The text of the page, with white space collapsed."""
        return squeeze(self.html)

    @property
    def title(self) -> str:
        return self._first(r"<title>(.*?)</title>")

    @property
    def heading(self) -> str:
        return self._first(r"<h1[^>]*>(.*?)</h1>")

    @property
    def alert(self) -> str:
        """The heading of the error on the page; empty if there is none."""
        return self._first(r'role="alert"[^>]*>\s*<h2>(.*?)</h2>')

    @property
    def message(self) -> str:
        return self._first(r'class="notice[^"]*" role="status">(.*?)</div>')

    @property
    def buttons(self) -> list[str]:
        found = re.findall(
            r'<(?:button|a)\b[^>]*class="button[^>]*>(.*?)</(?:button|a)>', self.html, re.DOTALL
        )
        return [squeeze(re.sub(HIDDEN, "", each, flags=re.DOTALL)) for each in found]

    @property
    def csrf_token(self) -> str:
        return self._first(r'name="csrf_token" value="([^"]+)"')

    @property
    def security_policy(self) -> str:
        return self.headers["Content-Security-Policy"]

    @property
    def onward(self) -> str:
        """The address that the page goes on to by itself."""
        return self._first(r'http-equiv="refresh" content="0;url=([^"]+)"')

    def hidden(self, name: str) -> str:
        return self._first(rf'name="{name}" value="([^"]*)"')

    def links(self) -> list[str]:
        return [html.unescape(link) for link in re.findall(r'<a\b[^>]*href="([^"]+)"', self.html)]

    def actions(self) -> list[str]:
        return [html.unescape(each) for each in re.findall(r'action="([^"]+)"', self.html)]

    def _first(self, pattern: str) -> str:
        match = re.search(pattern, self.html, re.DOTALL)
        return squeeze(match[1]) if match else ""


def squeeze(markup: str) -> str:
    text = re.sub(r"<(script|style|svg)\b.*?</\1>", " ", markup, flags=re.DOTALL)
    text = re.sub(r"</?(bdi|strong|a|time|span)\b[^>]*>", "", text)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())


class Browser:
    """A browser with its own cookies: ``browser.sign_in("google", "ada")`` and so on."""

    def __init__(self, site: "Site") -> None:
        self.site = site
        self.http = requests.Session()
        self.http.trust_env = False
        self.http.headers["User-Agent"] = (
            "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"
        )

    # HTTP.

    def fetch(self, path: str, method: str = "GET", **kwargs: Any) -> Page:
        """Send one request, without following redirects."""
        url = urljoin(self.site.url, path)
        answer = self.http.request(method, url, allow_redirects=False, timeout=60, **kwargs)
        EAR.learn(*(cookie.value or "" for cookie in answer.cookies if cookie.name != "last_idp"))
        return Page(answer)

    def get(self, path: str, **kwargs: Any) -> Page:
        """Load a page of the site; redirects are followed as long as they stay on it."""
        page = self.fetch(path, **kwargs)
        for _ in range(10):
            if page.status not in REDIRECTS:
                return page
            target = urljoin(page.url, page.location)
            if not target.startswith(self.site.url + "/"):
                return page
            page = self.fetch(target)
        raise AssertionError(f"redirected in circles, last to {page.location}")

    def post(self, path: str, page: Page | None = None, **form: str) -> Page:
        """Send a form of a page (by default one from the account page); redirects are followed."""
        token = (page or self.get("/account")).csrf_token
        answer = self.fetch(path, "POST", data={"csrf_token": token, **form})
        if answer.status in REDIRECTS and answer.location.startswith(("/", self.site.url)):
            return self.get(answer.location)
        return answer

    # At the provider.

    def begin(self, provider: str, **query: str) -> str:
        """Press a provider's button; return the authorization URL."""
        page = self.fetch(f"/login/{provider}", params=query)
        assert page.status == 302, page
        return page.location

    def choose(self, authorization_url: str, person: str, behave: str = "", **form: str) -> str:
        """Sign in as this person at the fake provider; return the callback URL."""
        callback = choose(authorization_url, person, behave, **form)
        return self._send_on(callback) if callback.form else callback

    def _send_on(self, callback: Callback) -> str:
        """Send the form with which a provider answers (form_post): from its site, so without
        cookies (SameSite=Lax). Return the URL of the GET that follows."""
        answer = requests.post(callback, data=callback.form, allow_redirects=False, timeout=5)
        assert answer.status_code == 303, answer.text
        return urljoin(self.site.url, answer.headers["Location"])

    # Acts of users.

    def sign_in(self, provider: str, person: str, behave: str = "", **query: str) -> Page:
        """Sign in, from the button to the page where it ends."""
        return self.get(self.choose(self.begin(provider, **query), person, behave))

    def cancel(self, provider: str, **query: str) -> Page:
        return self.get(self.choose(self.begin(provider, **query), "", cancel="1"))

    def begin_link(self, provider: str) -> str:
        return self.post(f"/account/link/{provider}").onward

    def link(self, provider: str, person: str, behave: str = "") -> Page:
        """Link an identity, from the account page."""
        return self.get(self.choose(self.begin_link(provider), person, behave))

    def answer(self, page: Page, answer: str) -> Page:
        """Answer the question on a confirm page."""
        form = {"flow": page.hidden("flow"), "answer": answer}
        return self.post("/login/confirm", page, **form)

    def unlink(self, identity_id: str) -> Page:
        return self.post(f"/account/unlink/{identity_id}")

    def reauth(self, page: Page, person: str) -> Page:
        """Reauthenticate, on the page that asks for it."""
        answer = self.fetch(
            page.actions()[0],
            "POST",
            data={"csrf_token": page.csrf_token, "next": page.hidden("next")},
        )
        return self.get(self.choose(answer.onward, person))

    def sign_out(self) -> Page:
        return self.post("/logout", self.get("/logout"))

    # Acts of an app, which keeps cookies too.

    def bring(self, token: str | bytes, query: str = "", **headers: str) -> Page:
        """POST an ID token to /auth/sign-in; keywords are headers: ``content_type="…"``."""
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        headers = {"Content-Type": "application/jwt"} | {k.title(): v for k, v in headers.items()}
        return self.fetch(f"/auth/sign-in{query}", "POST", data=token, headers=headers)

    def one_tap(self, credential: str, cookie: str = "doubled", **form: str) -> Page:
        """Send the form of Google's One Tap, as its script on a page of this host does."""
        if cookie:
            self.http.cookies.set("g_csrf_token", cookie, domain="localhost.local")
        data = {"credential": credential, "g_csrf_token": "doubled", **form}
        page = self.fetch("/login/google/one-tap", "POST", data=data)
        return self.get(page.location) if page.status in REDIRECTS else page

    # Observations.

    def me(self) -> dict[str, Any] | None:
        """The user as the API describes them; None without a session."""
        page = self.fetch("/api/v1/me")
        return dict(page.response.json()) if page.status == 200 else None

    @property
    def user_id(self) -> str | None:
        me = self.me()
        return str(me["id"]) if me else None

    def providers(self) -> list[str]:
        """The providers linked to the account, sorted."""
        me = self.me()
        return sorted(identity["provider"] for identity in me["identities"]) if me else []

    def identity(self, provider: str) -> str:
        """The id of the identity of a provider."""
        me = self.me()
        assert me
        return next(str(row["id"]) for row in me["identities"] if row["provider"] == provider)

    def cookie(self, name: str) -> str | None:
        return next((c.value for c in self.http.cookies if c.name == name), None)


def query_of(url: str) -> dict[str, str]:
    """The query parameters of a URL."""
    return dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))
