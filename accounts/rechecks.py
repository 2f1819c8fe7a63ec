"""The job that checks the operator's rules again for people who have a session.

Each provider is asked about one identity at a time, on one instance at a time, with a pause for
each call that it was sent. No transaction is open meanwhile.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial

from sqlalchemy import ColumnElement, and_, false, not_, or_, select

from access import checks, groups
from access.rules import Rules
from accounts import entry, identities, users
from accounts.activity import ACCESS_RULES, Caller
from accounts.rules import Policy
from accounts.sessions import ALIVE, alive_at
from errors import AccessRefused, GrantEnded, NotFound, ProviderError
from jobs import periodic
from jobs.leases import Lease
from jobs.periodic import Periodic
from jobs.registry import Jobs
from models import Identity, OAuth, Session, User
from providers.criteria import Fact, Standing
from providers.http.counting import counting
from providers.protocols.connector import Connector
from storage import atomic, db, now
from vault import tokens

# The pause after an identity for each call that its provider was sent, and between two batches that
# ask nobody.
PAUSE_SECONDS = 1
BATCH = 50
# How often people are found whom no row is about, and how often a quiet job looks for work.
FIND_SECONDS = 3600
LOOK_SECONDS = 30.0

# A person who is signed in, and not disabled.
_IS_LIVE = (
    select(Session.id)
    .join(User, User.id == Session.user_id)
    .where(Session.user_id == OAuth.user_id, ALIVE, User.disabled_at.is_(None))
    .exists()
)
# A person to whom a rule gave a group or a role.
_HAS_SOMETHING = select(User.id).where(
    or_(User.role_names != "", User.id.in_(groups.select_given_by_rules()))
)


@dataclass
class Rechecks:
    """The job of one application."""

    policy: Policy
    rules: Rules
    connectors: Mapping[str, Connector]
    _has_begun: bool = field(default=False, init=False)

    def work(self) -> float:
        """Check what is due now; return the seconds until there may be more."""
        if not self._has_begun:
            self._begin()  # other rules may be in force since the start
            self._has_begun = True
        return PAUSE_SECONDS if self.run_due() else LOOK_SECONDS

    def run_due(self) -> int:
        """Check what is due, at most one identity of each provider; return how many."""
        done: list[int] = []
        periodic.run_due([self._noting(job, done) for job in self._jobs()])
        return sum(done)

    def check(self, identity: Identity, caller: Caller = ACCESS_RULES) -> None:
        """Ask about an identity now, and carry out what follows."""
        connector = self._asked().get(identity.provider)
        is_theirs = connector and connector.identity_issuer == identity.issuer
        said = read_facts(identity, connector) if connector and is_theirs else {}
        _settle(identity, said, self.policy, caller)

    def _jobs(self) -> list[Periodic]:
        of_provider = {
            name: and_(OAuth.provider == name, OAuth.issuer == connector.identity_issuer)
            for name, connector in self._asked().items()
        }
        others = not_(or_(false(), *of_provider.values()))
        return [
            Periodic("access", FIND_SECONDS, lambda _lease: self._begin()),
            Periodic("access others", PAUSE_SECONDS, partial(self._check_due, others, BATCH)),
            *(self._asking(name, which) for name, which in of_provider.items()),
        ]

    def _asking(self, provider: str, which: ColumnElement[bool]) -> Periodic:
        sent: list[int] = []

        def run(lease: Lease) -> int:
            with counting() as calls:
                done = self._check_due(which, 1, lease)
            sent.append(calls.sent)
            return done

        def pause() -> int:
            return PAUSE_SECONDS * max(1, sum(sent))

        return Periodic(f"access {provider}"[:32], PAUSE_SECONDS, run, pause)

    def _asked(self) -> dict[str, Connector]:
        """Return the connectors that can be asked again about stored tokens' people."""
        return {name: each for name, each in self.connectors.items() if each.asked_again}

    def _begin(self) -> int:
        live = select(OAuth.id).where(_IS_LIVE)
        checks.begin(self.rules, live.params(alive_at(now())))
        return 0

    def _check_due(self, which: ColumnElement[bool], limit: int, _lease: Lease) -> int:
        these = select(OAuth.id, _IS_LIVE.label("is_live")).where(which)
        due = checks.take_due(self.rules, these.params(alive_at(now())), limit)
        for identity in identities.of_ids(due):
            self.check(identity)
        return len(due)

    def _noting(self, job: Periodic, done: list[int]) -> Periodic:
        def run(lease: Lease) -> int:
            done.append(job.run(lease))
            return done[-1]

        return replace(job, run=run)


def read_facts(identity: Identity, connector: Connector) -> dict[str, Fact]:
    """Ask a provider about an identity; return a fact for each condition. Never raises
    ProviderError."""
    earlier = {name: held.fact for name, held in checks.of_identity(identity.id).items()}
    db.session.commit()  # returns the connection before the provider is asked
    try:
        return _read(identity, connector, earlier)
    except (AccessRefused, GrantEnded) as error:
        unread = Fact(Standing.GRANT_ENDED, error.detail)
    except ProviderError as error:
        unread = Fact(Standing.UNKNOWN, error.detail)
    return {condition.name: unread for condition in connector.asked_again}


def _read(identity: Identity, connector: Connector, earlier: Mapping[str, Fact]) -> dict[str, Fact]:
    connector.prepare()
    renew = partial(connector.refresh, identity.subject)
    token = tokens.fresh(identity.id, renew)
    scopes = identity.scopes.split()
    try:
        return connector.read_facts(identity.subject, token, scopes, earlier)
    except AccessRefused:
        token = tokens.fresh(identity.id, renew, refused=str(token.get("access_token")))
        return connector.read_facts(identity.subject, token, scopes, earlier)


@atomic
def _settle(read: Identity, said: Mapping[str, Fact], policy: Policy, caller: Caller) -> None:
    """Keep the facts, unless the identity has gone to another account or away meanwhile."""
    if users.find_locked(read.user_id) is None:
        return
    try:
        identity = identities.own(read.user_id, read.id)
    except NotFound:
        return
    entry.settle(identity, said, policy, caller)


@dataclass
class WithoutRules:
    """The job of an application without rules: once, it takes back what earlier rules gave."""

    _is_done: bool = field(default=False, init=False)

    def work(self) -> None:
        if self._is_done:
            return
        while user_ids := db.session.scalars(_HAS_SOMETHING.limit(BATCH)).all():
            db.session.commit()
            for user_id in user_ids:
                entry.take_back(user_id, ACCESS_RULES)
        self._is_done = True


def register(jobs: Jobs, policy: Policy, connectors: Mapping[str, Connector]) -> None:
    """Have the application check the rules again in the background, if it has rules."""
    if policy.access is None:
        jobs.add("access", WithoutRules().work)
    else:
        jobs.add("access", Rechecks(policy, policy.access, connectors).work)
