"""Why an identity is suspended, or an account held, in words for operators."""

from accounts.holds import Hold
from accounts.suspensions import Suspension

SUSPENSIONS: dict[str, str] = {
    Suspension.HIJACKED: "its provider says that somebody else got into the account there",
    Suspension.DISABLED: "its provider has switched the account there off",
    Suspension.NOT_ME: "the person said that it is not theirs",
}
HOLDS: dict[str, str] = {
    Hold.HIJACKED: "a provider says that somebody else got into their account there",
    Hold.NOT_ME: "the person said that a change was not theirs",
}
