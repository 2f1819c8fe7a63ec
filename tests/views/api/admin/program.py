"""A program that administers a site with a token of its own."""

from typing import Any

from tests.browser import Page
from tests.commands.console import answer
from tests.issuer.keyed import MACHINE
from tests.issuer.relying_party import App
from tests.site import Site

PREFIX = "/api/v1/admin"
OPTIONS = ("--grant", "client_credentials", "--scope", "admin")


class Program(App):
    """An application that was registered with the scope admin."""

    def __init__(self, site: Site, name: str = "Steward", *options: str) -> None:
        super().__init__(site, name, *(options or OPTIONS))
        self.bearer = self.token(**MACHINE, scope="admin").document.get("access_token", "")

    def send(self, method: str, path: str, bearer: str | None = None, **kwargs: Any) -> Page:
        """Send a request with the token, or with another."""
        headers = {"Authorization": f"Bearer {bearer or self.bearer}"} | kwargs.pop("headers", {})
        return self.site.browser().fetch(PREFIX + path, method, headers=headers, **kwargs)

    def read(self, path: str, **parameters: Any) -> Any:
        page = self.send("GET", path, params=parameters)
        assert page.status == 200, page
        return page.response.json()

    def act(self, method: str, path: str, status: int = 204) -> Any:
        """Change something; return what is answered, if anything."""
        page = self.send(method, path)
        assert page.status == status, page
        return page.response.json() if page.html else None


def acts_of(site: Site) -> list[tuple[str, str]]:
    """What stands in the administrators' log, newest first, and who did it."""
    items = answer(site, "admin", "log")["items"]
    return [(each["act"], each["admin_name"]) for each in items]
