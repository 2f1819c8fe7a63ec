"""The words of a rule of access, as they complete a sentence."""

from providers import PROVIDERS

WHAT_LET_IN = "what let you in here"


def membership_of(rule: str) -> str:
    """Return what a rule is about, by its name: "your membership of acme on GitHub"."""
    condition, _, value = rule.partition("=")
    name, _, kind = condition.partition(".")
    provider = next((each for each in PROVIDERS.values() if each.name == name), None)
    criterion = provider.criteria.get(kind) if provider else None
    if provider is None or criterion is None:
        return WHAT_LET_IN
    return f"{criterion.noun.format(value=value)} on {provider.label}"
