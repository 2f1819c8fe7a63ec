"""Names of devices, and of what acts in place of one."""

from accounts import devices
from accounts.activity import ACCESS_RULES, COMMAND_LINE, HOUSEKEEPING, PROVIDER

OPERATOR = "This site's operator"
RULES = "This site's rules"
THE_PROVIDER = "The provider"
WITHOUT_DEVICE = {
    COMMAND_LINE.user_agent: OPERATOR,
    ACCESS_RULES.user_agent: RULES,
    PROVIDER.user_agent: THE_PROVIDER,
    HOUSEKEEPING.user_agent: RULES,
}


def device_name(user_agent: str) -> str:
    """Return a browser and its system, such as "Firefox on Windows", from a User-Agent header."""
    return WITHOUT_DEVICE.get(user_agent) or devices.name(user_agent)
