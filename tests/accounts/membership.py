"""A site whose rules ask the fake GitHub for members of acme, and what happens there later."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select, update

from access.models import AccessCheck
from accounts.rechecks import Rechecks
from simulator.organisations import Organisation
from storage import atomic, db
from tests.browser import Browser
from tests.site import Site, Sites

ORG = '[[allow]]\ngithub.org = "acme"\ngroups = ["engineers"]\n'
DOMAIN = '[[allow]]\ndomain = "navy.example"\ngroups = ["navy"]\n'
LONG_AGO = "2026-01-01 00:00:00.000000"


class Members:
    """A site with these rules; ``acme`` is the organisation at the fake GitHub."""

    def __init__(self, make_site: Sites, rules: str = ORG, database: str = "sqlite") -> None:
        self.site: Site = make_site(database, ACCESS_RULES=rules)
        self.github = self.site.simulator.github
        self.acme: Organisation = self.github.organisations.add(
            "acme", 17, ada="active", grace="active"
        )

    def signed_in(self, person: str, provider: str = "github") -> Browser:
        browser = self.site.browser()
        browser.sign_in(provider, person)
        assert browser.me(), browser.get("/login")
        return browser

    def pass_time(self) -> None:
        """Let ``recheck.every`` pass, and the pauses of the job."""
        self.site.execute("UPDATE access_checks SET due_at = :at", at=LONG_AGO)
        self.end_pause()

    def end_pause(self) -> None:
        self.site.execute("UPDATE chores SET due_at = :at WHERE name LIKE 'access%'", at=LONG_AGO)

    def run(self) -> int:
        """Run the job once, as its worker does; return how many identities it checked."""
        return int(self.site.inside(self.job().run_due))

    def recheck(self) -> None:
        """Check everybody again."""
        self.pass_time()
        while self.run():
            self.end_pause()

    def job(self) -> Rechecks:
        here = self.site.app.extensions["quickstep"]
        return Rechecks(here.policy, here.policy.access, here.connectors)

    def fail_since(self, hours: float) -> None:
        """Have the provider's silence begin so many hours ago."""
        since = (datetime.now(UTC) - timedelta(hours=hours)).isoformat()

        @atomic
        def rewrite() -> None:
            for row in db.session.execute(select(AccessCheck.identity_id, AccessCheck.facts)).all():
                facts: dict[str, Any] = {
                    name: {**kept, "failing_since": kept["failing_since"] and since}
                    for name, kept in row.facts.items()
                }
                this = update(AccessCheck).where(AccessCheck.identity_id == row.identity_id)
                db.session.execute(this.values(facts=facts))

        self.site.inside(rewrite)
