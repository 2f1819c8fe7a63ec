"""A person with an application that ends with the session, and with one that does not."""

from dataclasses import dataclass

from tests.browser import Browser
from tests.issuer.pair import Pair
from tests.issuer.relying_party import App, Tokens
from tests.site import Site

BACK = "https://notes.example/backchannel"


@dataclass
class Stage:
    pair: Pair
    browser: Browser
    app: App
    bound: Tokens
    offline: Tokens
    # The columns of its row: id, user_id, identity_id, sid, provider.
    session: dict[str, str]

    @property
    def site(self) -> Site:
        return self.pair.site

    def is_bound_alive(self) -> bool:
        return self._is_alive(self.bound)

    def is_offline_alive(self) -> bool:
        return self._is_alive(self.offline)

    def _is_alive(self, tokens: Tokens) -> bool:
        """Ask the other instance first, then introspection, userinfo and the token endpoint, which
        always agree."""
        active = self.pair.is_active(self.app, tokens.access)
        assert self.app.is_active(tokens.access) is active
        assert (self.app.userinfo(tokens.access).status_code == 200) is active
        elsewhere = self.pair.refresh(self.app, tokens.refresh)
        assert ("access_token" in elsewhere) is active, elsewhere
        refreshed = self.app.refresh(tokens.refresh)
        assert (refreshed.status == 200) is active, refreshed.document
        return active

    def told(self) -> set[tuple[bool, str]]:
        """The logouts in the outbox: whether each names a sid, and its sub."""
        return {
            (row[0] is not None, row[1]) for row in self.site.rows("SELECT sid, sub FROM logouts")
        }

    def another_browser(self) -> Browser:
        """The same person somewhere else."""
        browser = self.site.browser()
        browser.sign_in("google", "grace")
        return browser


def set_up(pair: Pair, *options: str) -> Stage:
    browser = pair.site.browser()
    browser.sign_in("google", "grace")
    app = App(pair.site, "Notes", "--backchannel-logout-uri", BACK, *options)
    bound = app.tokens(browser)
    offline = app.tokens(browser, scope="openid email offline_access")
    columns = ("id", "user_id", "identity_id", "sid", "provider")
    (row,) = pair.site.rows(f"SELECT {', '.join(columns)} FROM sessions")
    return Stage(pair, browser, app, bound, offline, dict(zip(columns, row, strict=True)))
