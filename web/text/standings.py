"""The words of how a person stands to a rule of access, for administrators."""

from providers.criteria import Standing

STANDINGS: dict[Standing, str] = {
    Standing.MET: "met",
    Standing.NOT_MET: "not met",
    Standing.NEEDS_CONSENT: "unknown until the person signs in again and allows us to see it",
    Standing.GRANT_ENDED: "unknown, as the provider ended our access",
    Standing.UNKNOWN: "unknown, as the provider could not be asked",
}
