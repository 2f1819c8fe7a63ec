"""Judges by the operator's rules (access/rules.py) whether a person is in: at each sign-in, and
again while they have a session.

Without rules everybody is in. The facts are kept by access/checks.py.
"""

from collections.abc import Collection, Mapping, Sequence

from access import checks, groups
from access.checks import Facts
from access.refusals import AccessUnknown, NeedsConsent
from access.rules import Candidate, Rules
from access.verdicts import Verdict, judge
from accounts import activity, ended_sessions, endings, identities, sessions, users
from accounts.activity import Caller, EventKind
from accounts.ended_sessions import EndReason
from accounts.identities import Found
from accounts.newcomers import Invited
from accounts.rules import Policy, WayIn
from errors import NotAllowed, SignInError
from models import Identity, Session
from providers.base import Assertion, Profile
from providers.criteria import Fact, Standing
from storage import atomic, now

# The identity of a sign-in that is not known yet.
NEW = ""
END_REASONS = {
    Standing.NEEDS_CONSENT: EndReason.ACCESS_CONSENT,
    Standing.UNKNOWN: EndReason.ACCESS_UNKNOWN,
    Standing.GRANT_ENDED: EndReason.ACCESS_UNKNOWN,
}


def verdict_of(user_id: str, policy: Policy) -> Verdict | None:
    """Judge a person by what is kept; None if there are no rules."""
    if policy.access is None:
        return None
    candidates = _candidates(identities.of_user(user_id), policy, policy.access)
    return judge(policy.access, candidates, is_admitted=users.is_admitted(user_id))


def is_in(user_id: str, policy: Policy) -> bool:
    verdict = verdict_of(user_id, policy)
    return verdict is None or verdict.is_in


def is_in_by(those: Mapping[str, WayIn], kept: Mapping[str, Facts], policy: Policy) -> bool:
    """Return whether a person is in by identities and kept facts that are at hand, both by the
    identities' ids. What else lets people in is left to ``is_in``."""
    rules = policy.access
    return rules is None or judge(rules, _candidates_by(those, kept, policy, rules)).is_in


def sign_in_refusal(
    found: Found | None,
    assertion: Assertion,
    profile: Profile,
    policy: Policy,
    invited: Invited | None = None,
) -> SignInError | None:
    """Return why the rules do not let in the person of an assertion; None if they do.

    ``profile``: what is judged (``facts.judged_profile``). The person's other identities count too.
    ``invited``: what a newcomer brings.
    """
    rules = policy.access
    if rules is None:
        return None
    identity = found.identity if found else None
    kept = checks.of_identity(identity.id) if identity else {}
    held = checks.take_signed_in(kept, assertion.facts, now())
    own = Candidate(
        assertion.provider,
        profile.email,
        profile.email_verified,
        checks.effective(held, rules, now()),
    )
    others = identities.of_user(identity.user_id) if identity else []
    others = [each for each in others if identity and each.id != identity.id]
    key = identity.id if identity else NEW
    is_admitted = bool(invited and invited.is_admitted)
    if identity:
        is_admitted = users.is_admitted(identity.user_id)
    candidates = {key: own, **_candidates(others, policy, rules)}
    verdict = judge(rules, candidates, is_admitted=is_admitted)
    if invited and invited.bypass and not (verdict.is_in or verdict.denied):
        return invited.refusal
    return refusal(verdict, profile.email)


def link_refusal(user_id: str, assertion: Assertion, policy: Policy) -> SignInError | None:
    """Return why a new identity cannot be added to an account: the person has to be in without it,
    and it must not be denied."""
    rules, verdict = policy.access, verdict_of(user_id, policy)
    if rules is None or verdict is None:
        return None
    profile = assertion.profile
    new = Candidate(assertion.provider, profile.email, profile.email_verified)
    both = judge(rules, {NEW: new}) if verdict.is_in else verdict
    if verdict.is_in and not both.denied:
        return None
    return refusal(both, profile.email)


def join_refusal(user_id: str, assertion: Assertion, policy: Policy) -> SignInError | None:
    """Return why a new identity must not join an account: another of its identities is denied, or
    it came by an invitation in place of a rule, which a new account alone can use."""
    rules, verdict = policy.access, verdict_of(user_id, policy)
    if rules is None or verdict is None:
        return None
    profile = assertion.profile
    new = Candidate(assertion.provider, profile.email, profile.email_verified, assertion.facts)
    outcomes = {**verdict.outcomes, **judge(rules, {NEW: new}).outcomes}
    return refusal(Verdict(outcomes, verdict.is_admitted), profile.email)


def lets_in(those: Sequence[Identity], policy: Policy) -> bool:
    """Return whether these identities would let in their person, if they were all that they
    have."""
    rules = policy.access
    if rules is None or not those:
        return rules is None
    is_admitted = users.is_admitted(those[0].user_id)
    return judge(rules, _candidates(those, policy, rules), is_admitted=is_admitted).is_in


def refusal(verdict: Verdict, email: str | None) -> SignInError | None:
    """Return the error of a verdict; None if the person is in."""
    if verdict.is_in:
        return None
    if verdict.standing is Standing.NEEDS_CONSENT:
        return NeedsConsent(verdict.detail)
    if verdict.standing in checks.UNANSWERED:
        return AccessUnknown(verdict.detail)
    return NotAllowed(verdict.detail, email=email or "")


@atomic
def settle_sign_in(
    identity: Identity, assertion: Assertion, policy: Policy, caller: Caller
) -> None:
    """Keep what a sign-in or link brought about an identity, and carry out what follows.

    The account is locked by the caller, or is just being made.
    """
    settle(identity, assertion.facts, policy, caller, is_sign_in=True)


@atomic
def settle(
    identity: Identity,
    said: Mapping[str, Fact],
    policy: Policy,
    caller: Caller,
    *,
    is_sign_in: bool = False,
) -> None:
    """Keep what a provider said about an identity; then give and take groups, and end the sessions
    of a person who is not in.

    The account is locked by the caller.
    """
    rules = policy.access
    if rules is None:
        return
    earlier, at = checks.of_identity(identity.id), now()
    take = checks.take_signed_in if is_sign_in else checks.take_all
    facts = take(earlier, said, at)
    checks.keep(identity.id, facts, rules)
    lost = _lost_rule(earlier, facts, rules)
    follow(identity.user_id, policy, caller, provider=identity.provider, lost=lost)


@atomic
def follow(
    user_id: str, policy: Policy, caller: Caller, *, provider: str = "", lost: str = ""
) -> None:
    """Carry out what is kept about a person: groups and roles, and the end of sessions if they are
    not in.

    ``lost``: the rule that one of their identities, of that provider, no longer meets. The account
    is locked by the caller.
    """
    rules, verdict = policy.access, verdict_of(user_id, policy)
    if rules is None or verdict is None:
        return
    met = verdict.met if verdict.is_in else []
    _give(user_id, rules.groups_of(met), rules.roles_of(met), caller)
    if not verdict.is_in:
        _end_access(user_id, verdict, provider, lost, caller)


@atomic
def take_back(user_id: str, caller: Caller) -> None:
    """Take from a person what rules gave that are gone. Does nothing if the account is gone."""
    if users.find_locked(user_id):
        _give(user_id, [], [], caller)


def _give(
    user_id: str, group_names: Collection[str], role_names: Collection[str], caller: Caller
) -> None:
    """Have the groups and roles by rules be these."""
    users.give_roles(user_id, role_names, caller)
    gained, gone = groups.replace_of_rules(user_id, group_names)
    for kind, names in ((EventKind.GROUP_JOINED, gained), (EventKind.GROUP_LEFT, gone)):
        for name in names:
            activity.record(user_id, kind, caller, detail=name)


def _end_access(user_id: str, verdict: Verdict, provider: str, rule: str, caller: Caller) -> None:
    """End the sessions of a person who is not in, and offline access. Their browsers are told which
    ``rule`` it was."""
    reason = EndReason.ACCESS_LOST
    if not verdict.denied:
        reason = END_REASONS.get(verdict.standing, reason)
    if reason is not EndReason.ACCESS_LOST:
        rule = verdict.rule_of(verdict.standing)
    alive = len(sessions.of_user(user_id))
    endings.end_everywhere(user_id)
    ended_sessions.end(Session.user_id == user_id, reason=reason, detail=rule)
    if alive:
        facts = {"provider": provider, "reason": reason.value, "detail": rule}
        activity.record(user_id, EventKind.ACCESS_LOST, caller, **facts)


def _lost_rule(earlier: Facts, facts: Facts, rules: Rules) -> str:
    """Return the name of the rule that an identity met before and does not meet now."""
    at = now()
    lost = (
        name
        for name, held in earlier.items()
        if held.was_met and not facts[name].counts(rules.grace, at)
    )
    return next(lost, "")


def _candidates(those: Sequence[Identity], policy: Policy, rules: Rules) -> dict[str, Candidate]:
    """Return the identities that can be used here, as the rules look at them."""
    kept = checks.of_identities([each.id for each in those])
    return _candidates_by({each.id: each for each in those}, kept, policy, rules)


def _candidates_by(
    those: Mapping[str, WayIn], kept: Mapping[str, Facts], policy: Policy, rules: Rules
) -> dict[str, Candidate]:
    at = now()
    return {
        key: Candidate(
            each.provider,
            each.email,
            each.email_verified,
            checks.effective(kept.get(key, {}), rules, at),
        )
        for key, each in those.items()
        if policy.admits(each)
    }
