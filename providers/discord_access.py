"""Criteria of Discord: servers ("guilds") and their roles.

https://discord.com/developers/docs/resources/user#get-current-user-guild-member
"""

from errors import ProviderError
from providers.criteria import Ask, Criteria, Criterion, Fact, met_if, not_met, rows_of
from providers.profile import value_at

SNOWFLAKE = r"[0-9]{15,20}"


def guild(ask: Ask, guild_id: str) -> Fact:
    """The list has up to 200 servers, as many as a person can join."""
    ids = [row.get("id") for row in rows_of(ask.get("users/@me/guilds"))]
    return met_if(guild_id in ids, "not in the server")


def role(ask: Ask, place: str) -> Fact:
    """A member is ``pending`` until they have accepted the server's rules."""
    guild_id, _, role_id = place.partition("/")
    reply = ask.send(f"users/@me/guilds/{guild_id}/member")
    if reply.status_code != 200:
        return not_met(f"Discord answered {reply.status_code}: not in the server")
    member = ask.read(reply)
    if value_at(member, "pending") is True:
        return not_met("has not accepted the server's rules")
    roles = value_at(member, "roles")
    if not isinstance(roles, list):
        raise ProviderError("Discord's answer has no list of roles")
    return met_if(role_id in roles, "does not have the role")


CRITERIA: Criteria = {
    "guild": Criterion(
        guild,
        "your membership of the server {value}",
        pattern=SNOWFLAKE,
        example="613425648685547541",
        scope="guilds",
    ),
    "role": Criterion(
        role,
        "your role {value}",
        pattern=f"{SNOWFLAKE}/{SNOWFLAKE}",
        example="613425648685547541/936746847437983786",
        scope="guilds.members.read",
    ),
}
