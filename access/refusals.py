"""Refusals of people about whom a provider says too little for the rules."""

from errors import SignInError


class NeedsConsent(SignInError):
    """A rule of `ACCESS_FILE` needs a scope that the person did not allow at the provider."""

    code = "needs_consent"
    status = 403


class AccessUnknown(SignInError):
    """The provider could not be asked whether a rule of `ACCESS_FILE` is met, and the person was
    not in before, or `recheck.grace` has passed."""

    code = "access_unknown"
    status = 503
