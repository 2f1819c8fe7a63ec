"""Whether a person is in: the outcomes of all their identities together.

Pure. One identity that meets a rule is enough, and one that is denied is too much. An invitation
may take the place of a rule.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from access.rules import HOPES, Candidate, Outcome, Rules, evaluate
from providers.criteria import Standing


@dataclass(frozen=True)
class Verdict:
    """The outcomes of a person's identities, by id. ``is_admitted``: an invitation lets them in
    without a rule."""

    outcomes: Mapping[str, Outcome]
    is_admitted: bool = False

    @property
    def denied(self) -> str:
        """Return the entry that denies one of the identities; empty if none does."""
        return next((each.denied for each in self.outcomes.values() if each.denied), "")

    @property
    def met(self) -> list[str]:
        """Return the names of the rules that let the person in."""
        return [name for each in self.outcomes.values() for name in each.met]

    @property
    def is_in(self) -> bool:
        return (bool(self.met) or self.is_admitted) and not self.denied

    @property
    def standing(self) -> Standing:
        """Return the most hopeful standing to any rule."""
        if self.denied:
            return Standing.NOT_MET
        found = {each.standing for each in self.outcomes.values()}
        return next((hope for hope in HOPES if hope in found), Standing.NOT_MET)

    def rule_of(self, standing: Standing) -> str:
        """Return the name of the first rule that the person stands to like this; empty if there is
        none."""
        found = (
            name
            for each in self.outcomes.values()
            for name, fact in each.facts.items()
            if fact.standing is standing
        )
        return next(found, "")

    @property
    def detail(self) -> str:
        """Describe each rule for a log."""
        if self.denied:
            return f"denied by {self.denied}"
        said = (
            f"{name}: {fact.standing.value}{f' ({fact.detail})' if fact.detail else ''}"
            for each in self.outcomes.values()
            for name, fact in each.facts.items()
        )
        return "; ".join(said) or "no rule is about these identities"


def judge(
    rules: Rules, candidates: Mapping[str, Candidate], *, is_admitted: bool = False
) -> Verdict:
    """Judge a person by all their identities, by id."""
    outcomes = {key: evaluate(rules, each) for key, each in candidates.items()}
    return Verdict(outcomes, is_admitted)
