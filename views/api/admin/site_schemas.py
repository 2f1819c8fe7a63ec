"""The models of groups, providers and gates in the administrators' API."""

from typing import Annotated

from pydantic import AfterValidator, Field, WithJsonSchema

from accounts import admission
from views.api.schemas import (
    EXAMPLE_ID,
    EXAMPLE_LABEL,
    EXAMPLE_PROVIDER,
    Moment,
    Request,
    Schema,
)

RULE_FORMAT = "access-rule"
RULE_MAX_CHARACTERS = 300
MAX_RULES = 100
LAST_PAGE = "Always null."


def check_rule(rule: str) -> str:
    """Return a rule of who may pass. Raises ValueError."""
    fault = admission.fault(rule) if len(rule) <= RULE_MAX_CHARACTERS else "is too long"
    if fault:
        raise ValueError(fault)
    return rule


Rule = Annotated[
    str, AfterValidator(check_rule), WithJsonSchema({"type": "string", "format": RULE_FORMAT})
]


class Group(Schema):
    """A group that somebody is in."""

    name: str = Field(examples=["engineers"])
    members: int = Field(description="How many people are in it.")


class GroupList(Schema):
    """All groups, by name."""

    items: list[Group]
    next_cursor: str | None = Field(description=LAST_PAGE, examples=[None])


class Member(Schema):
    """A person in a group."""

    user_id: str = Field(examples=[EXAMPLE_ID])
    source: str = Field(description="manual, invite or rule.", examples=["manual"])


class MemberList(Schema):
    """One page of the people in a group, by id."""

    items: list[Member]
    next_cursor: str | None = Field(description="Where the next page begins; null on the last.")


class ProviderState(Schema):
    """A provider that is on."""

    name: str = Field(description="Its name in settings.", examples=[EXAMPLE_PROVIDER])
    label: str = Field(examples=[EXAMPLE_LABEL])
    is_answering: bool = Field(description="Whether the hosts that were called answer.")
    last_sign_in_at: Moment | None = Field(description="null: none in 90 days.")
    last_refusal_at: Moment | None = Field(description="Of a known person; null: none in 90 days.")


class ProviderStateList(Schema):
    """The providers that are on."""

    items: list[ProviderState]
    next_cursor: str | None = Field(description=LAST_PAGE, examples=[None])


class Finding(Schema):
    """The result of one check."""

    check: str = Field(examples=["client"])
    level: str = Field(description="ok, warn or fail.", examples=["ok"])
    message: str


class FindingList(Schema):
    """The results of all checks of a provider."""

    items: list[Finding]
    next_cursor: str | None = Field(description=LAST_PAGE, examples=[None])


class Gate(Schema):
    """A gate before an application that knows nothing of sign-in."""

    name: str = Field(examples=["wiki"])
    hosts: list[str] = Field(examples=[["https://wiki.example.org"]])
    allow: list[str] = Field(
        description="Rules of who may pass; empty: as APPS_DEFAULT says.", examples=[["everyone"]]
    )
    forward_auth: str = Field(
        description="The address that the proxy asks.",
        examples=["https://login.example.org/forward-auth/wiki"],
    )
    created_at: Moment


class GateList(Schema):
    """All gates, by name."""

    items: list[Gate]
    next_cursor: str | None = Field(description=LAST_PAGE, examples=[None])


class GateRules(Request):
    """The rules of who may pass a gate."""

    allow: list[Rule] = Field(
        max_length=MAX_RULES,
        description=f"Rules: {admission.WORDS}; any one lets in.",
        examples=[["group=staff", "domain=example.org"]],
    )
