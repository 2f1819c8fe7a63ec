"""Every look-alike there is; the one list to extend."""

from simulator.facebook import Facebook
from simulator.github import GitHub
from simulator.google import Google
from simulator.protocol import LookAlike
from simulator.twitter import Twitter, TwitterOAuth2

LOOK_ALIKES: tuple[type[LookAlike], ...] = (
    Google,
    Facebook,
    GitHub,
    Twitter,
    TwitterOAuth2,
)
