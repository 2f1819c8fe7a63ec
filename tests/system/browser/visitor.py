"""A person in front of a real browser; the verbs are what people do with pages."""

import re
from typing import Any
from urllib.parse import urldefrag, urlsplit

from playwright.sync_api import (
    Browser,
    ConsoleMessage,
    Dialog,
    Locator,
    Page,
    Request,
    Response,
    expect,
)

from tests.site import Site

TIMEOUT_MILLISECONDS = 10_000
REPORT_VIOLATIONS = """
addEventListener("securitypolicyviolation", (event) =>
  console.error("the policy forbids", event.effectiveDirective, event.blockedURI));
"""


class Visitor:
    """One browser with its own cookies. ``page`` is the tab in use."""

    def __init__(
        self, chromium: Browser, site: Site, *, javascript: bool = True, **options: Any
    ) -> None:
        self.site = site
        self.context = chromium.new_context(
            base_url=site.url, java_script_enabled=javascript, **options
        )
        self.context.set_default_timeout(TIMEOUT_MILLISECONDS)
        self.context.add_init_script(REPORT_VIOLATIONS)
        self.requests: list[str] = []
        self.statuses: dict[str, int] = {}
        self._messages: list[tuple[str, str]] = []
        self.context.on("console", self._on_console)
        self.context.on("weberror", lambda error: self._messages.append((str(error.error), "")))
        self.context.on("dialog", self._on_dialog)
        self.context.on("request", self._on_request)
        self.context.on("response", self._on_response)
        self.page = self.context.new_page()

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self._messages.append((message.text, urldefrag(message.location["url"]).url))

    def _on_dialog(self, dialog: Dialog) -> None:
        self._messages.append((f"a dialog: {dialog.message}", ""))
        dialog.dismiss()

    def _on_request(self, request: Request) -> None:
        self.requests.append(urldefrag(request.url).url)

    def _on_response(self, response: Response) -> None:
        if response.request.is_navigation_request():
            self.statuses[urldefrag(response.url).url] = response.status

    @property
    def complaints(self) -> list[str]:
        """What the browser objected to: faults of scripts, things that the policy forbids;
        and requests to anybody else than the site and the look-alikes."""
        ours = (self.site.url, self.site.simulator.url)
        elsewhere = [
            f"a request to {url}"
            for url in self.requests
            if "{0.scheme}://{0.netloc}".format(urlsplit(url)) not in ours
        ]
        # A page that is sent with status 403 or so is an error to the console, not to people.
        messages = [
            f"{text} ({url})"
            for text, url in self._messages
            if not (url in self.statuses and text.startswith("Failed to load resource"))
        ]
        return messages + elsewhere

    def leave(self) -> None:
        self.context.close()

    # What there is to see.

    @property
    def path(self) -> str:
        parts = urlsplit(self.page.url)
        return parts.path + (parts.query and f"?{parts.query}")

    @property
    def status(self) -> int:
        """The HTTP status of the page."""
        return self.statuses[urldefrag(self.page.url).url]

    def control(self, name: str) -> Locator:
        """A link or button, by its accessible name."""
        link = self.page.get_by_role("link", name=name, exact=True)
        return link.or_(self.page.get_by_role("button", name=name, exact=True))

    def sees(self, heading: str, path: str | None = None) -> None:
        """The page with this heading, at this path of the site."""
        expect(self.page.get_by_role("heading", level=1)).to_have_text(heading)
        if path is not None:
            expect(self.page).to_have_url(self.site.url + path)

    def reads(self, text: str) -> None:
        expect(self.page.locator("main")).to_contain_text(text)

    def is_told(self, text: str) -> None:
        """The message of the last act."""
        expect(self.page.locator(".notice[role=status]")).to_have_text(text, use_inner_text=True)

    def is_warned(self, title: str) -> None:
        """The problem that the page tells of; the title of the window begins with it."""
        expect(self.page.get_by_role("alert").get_by_role("heading")).to_have_text(title)
        expect(self.page).to_have_title(re.compile(f"^Error: {re.escape(title)} "))

    def methods(self, *labels: str) -> None:
        """The sign-in methods that the account page lists."""
        self.open("/account")
        rows = self.page.get_by_role("region", name="Sign-in methods").locator(".rows h3")
        expect(rows).to_have_text(list(labels))

    # What people do.

    def open(self, path: str) -> None:
        self.page.goto(path)

    def press(self, name: str) -> None:
        self.control(name).click()

    def be(self, person: str, behave: str = "") -> None:
        """Choose, at the look-alike, who to be and how it behaves."""
        if behave:
            self.page.locator("summary").click()
            self.page.locator(f'input[value="{behave}"]').check()
        self.page.locator(f'button[name=person][value="{person}"]').click()

    def cancel(self) -> None:
        """Change one's mind at the look-alike."""
        self.page.locator("button[name=cancel]").click()

    def sign_in(self, label: str, person: str, behave: str = "", at: str = "/login") -> None:
        self.open(at)
        self.press(f"Continue with {label}")
        self.be(person, behave)

    def link(self, label: str, person: str) -> None:
        self.open("/account")
        self.press(f"Connect {label}")
        self.be(person)

    def be_signed_in(self, provider: str, person: str) -> None:
        """Signed in already, without the way to it: a browser without a screen went it."""
        before = self.site.browser()
        before.sign_in(provider, person)
        assert before.cookie("session"), f"{person} is asked something first"
        # Both: a session acts only in the browser whose signed cookie names it.
        for name in ("session", "quickstep"):
            value = before.cookie(name) or ""
            self.context.add_cookies([{"name": name, "value": value, "url": self.site.url}])

    def sign_out(self) -> None:
        self.open("/account")
        self.press("Sign out")
        self.sees("Sign in to Quickstep", "/login")
        self.reads("You're signed out of Quickstep.")

    def new_tab(self) -> Page:
        """A second tab of the same browser, now the one in use; returns the first."""
        first, self.page = self.page, self.context.new_page()
        return first
