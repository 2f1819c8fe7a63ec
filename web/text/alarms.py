"""The words of alarms: what happened, and what the button of a mail's link does about it."""

from accounts.alarms import AlarmKind, Shown
from web.text.devices import device_name

SIGNED_IN = "Somebody signed in to your {product} account"
HAPPENED = {
    AlarmKind.NEW_DEVICE: SIGNED_IN,
    AlarmKind.IDENTITY_LINKED: "{provider} was connected to your {product} account",
    AlarmKind.CONNECTED_TO_APP: "An application got access to your {product} account",
    AlarmKind.EMAIL_CHANGED: "The email address of your {product} account was changed",
    AlarmKind.DOWNLOADED: "The data of your {product} account was downloaded",
}
A_PROVIDER = "A sign-in method"
WITH = " with {provider}"
FROM_DEVICE = " from {device}"

# The effects of the button, before and after.
ONE_SIGNED_OUT = ("That device is signed out.", "That device was signed out.")
ALL_SIGNED_OUT = ("All devices are signed out.", "All devices were signed out.")
PAUSED = (
    "{provider} can't be used to sign in to this account any more.",
    "{provider} can't be used to sign in to this account any more.",
)
APPS = ("Applications lose the access that they have while you're away.",) * 2
HELD = (
    "Changes to the account wait until you sign in the way you did before.",
    "Changes to the account wait until you sign in the way you did before.",
)
OF_KIND = {
    AlarmKind.NEW_DEVICE: (APPS, HELD),
    AlarmKind.DOWNLOADED: (APPS, HELD),
    AlarmKind.IDENTITY_LINKED: (PAUSED, HELD),
    AlarmKind.CONNECTED_TO_APP: (APPS, HELD),
    AlarmKind.EMAIL_CHANGED: (HELD,),
}


def happened(shown: Shown, provider: str, product: str) -> str:
    """Return what happened, as the beginning of a sentence that a time follows."""
    text = HAPPENED[shown.kind].format(provider=provider or A_PROVIDER, product=product)
    if shown.kind is AlarmKind.NEW_DEVICE and provider:
        text += WITH.format(provider=provider)
    if shown.user_agent:
        text += FROM_DEVICE.format(device=device_name(shown.user_agent))
    return text


def consequences(shown: Shown, provider: str, *, done: bool) -> list[str]:
    """Return what the button does, or has done, a sentence each."""
    signed_out = ONE_SIGNED_OUT if shown.is_of_one_session else ALL_SIGNED_OUT
    pairs = (signed_out, *OF_KIND[shown.kind])
    return [pair[done].format(provider=provider or A_PROVIDER) for pair in pairs]
