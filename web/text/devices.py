"""Names of devices: a browser and its system, as people call them."""

import functools

from ua_parser import parse

from accounts.activity import ACCESS_RULES, COMMAND_LINE, HOUSEKEEPING, PROVIDER

OPERATOR = "This site's operator"
RULES = "This site's rules"
THE_PROVIDER = "The provider"
UNKNOWN_BROWSER = "Unknown browser"
ON = "{browser} on {system}"
# Long names and their usual short forms.
SHORT_NAMES = {"Mac OS X": "macOS", "Chrome Mobile": "Chrome", "Mobile Safari": "Safari"}


@functools.lru_cache(maxsize=1024)
def device_name(user_agent: str) -> str:
    """Return a browser and its system, such as "Firefox on Windows", from a User-Agent header."""
    if user_agent == COMMAND_LINE.user_agent:
        return OPERATOR
    if user_agent == ACCESS_RULES.user_agent:
        return RULES
    if user_agent == PROVIDER.user_agent:
        return THE_PROVIDER
    if user_agent == HOUSEKEEPING.user_agent:
        return RULES
    known = parse(user_agent)
    browser = known.user_agent.family if known.user_agent else UNKNOWN_BROWSER
    browser = SHORT_NAMES.get(browser, browser)
    if known.os is None:
        return browser
    return ON.format(browser=browser, system=SHORT_NAMES.get(known.os.family, known.os.family))
