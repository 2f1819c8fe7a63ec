"""The models of groups, providers and gates in the administrators' API."""

from typing import Annotated

from pydantic import AfterValidator, Field, Strict, StringConstraints, WithJsonSchema

from access.invitations import MAX_DAYS, MAX_USES
from accounts import admission
from providers.profile import clean_email
from views.api.schemas import (
    EXAMPLE_ID,
    EXAMPLE_LABEL,
    EXAMPLE_PROVIDER,
    Id,
    Moment,
    Request,
    Schema,
)

RULE_FORMAT = "access-rule"
RULE_MAX_CHARACTERS = 300
MAX_RULES = 100
MAX_GROUPS = 20
ADDRESS_FORMAT = "email-address"
LAST_PAGE = "Always null."


def check_rule(rule: str) -> str:
    """Return a rule of who may pass. Raises ValueError."""
    fault = admission.fault(rule) if len(rule) <= RULE_MAX_CHARACTERS else "is too long"
    if fault:
        raise ValueError(fault)
    return rule


def check_address(text: str) -> str:
    """Return an e-mail address. Raises ValueError."""
    address = clean_email(text)
    if address is None:
        raise ValueError("is no e-mail address")
    return address


Address = Annotated[
    str, AfterValidator(check_address), WithJsonSchema({"type": "string", "format": ADDRESS_FORMAT})
]
GroupName = Annotated[str, StringConstraints(pattern="^[a-z0-9_-]{1,64}$")]
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
    sessions: int = Field(description="How many sessions are open there.")
    forward_auth: str = Field(
        description="The address that the proxy asks.",
        examples=["https://login.example.org/forward-auth/wiki"],
    )
    created_at: Moment


class GateList(Schema):
    """All gates, by name."""

    items: list[Gate]
    next_cursor: str | None = Field(description=LAST_PAGE, examples=[None])


class Invitation(Schema):
    """An invitation to open an account."""

    id: Id
    email: str | None = Field(
        description="The address that must be verified; null: any.", examples=["ada@gmail.com"]
    )
    groups: list[str] = Field(examples=[["engineers"]])
    bypass: bool = Field(description="Whether it lets in people whom no rule of access does.")
    uses: int = Field(description="How many accounts it may open.")
    used: int = Field(description="How many it has opened.")
    state: str = Field(description="open, used or expired.", examples=["open"])
    created_at: Moment
    expires_at: Moment


class InvitationWithLink(Invitation):
    """An invitation just made, with its link."""

    link: str = Field(examples=["https://login.example.org/join/…"])


class InvitationList(Schema):
    """One page of invitations, newest first."""

    items: list[Invitation]
    next_cursor: str | None = Field(description="Where the next page begins; null on the last.")


class InvitationRequest(Request):
    """An invitation to make."""

    email: Address | None = Field(
        default=None,
        description="Only for a person whose sign-in has this address, verified.",
        examples=["ada@gmail.com"],
    )
    groups: list[GroupName] = Field(
        default=[],
        max_length=MAX_GROUPS,
        description="The groups that they come into.",
        examples=[["engineers"]],
    )
    uses: Annotated[int, Strict()] = Field(
        default=1, ge=1, le=MAX_USES, description="How many accounts it may open."
    )
    days: Annotated[int, Strict()] = Field(
        default=7, ge=1, le=MAX_DAYS, description="How long it may be used."
    )
    bypass: Annotated[bool, Strict()] = Field(
        default=False,
        description="Let them in whether a rule of access does or not; [deny] keeps them out.",
    )


class GateRules(Request):
    """The rules of who may pass a gate."""

    allow: list[Rule] = Field(
        max_length=MAX_RULES,
        description=f"Rules: {admission.WORDS}; any one lets in.",
        examples=[["group=staff", "domain=example.org"]],
    )
