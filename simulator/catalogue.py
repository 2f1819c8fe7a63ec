"""Every fake provider: the one list to extend."""

from simulator.apple import Apple
from simulator.facebook import Facebook
from simulator.github import GitHub
from simulator.google import Google
from simulator.issuers import ORCID, GitLab, Salesforce, Slack, Twitch, Yahoo
from simulator.kakao import Kakao
from simulator.linkedin import LinkedIn
from simulator.microsoft import Microsoft
from simulator.named import Acme, Globex
from simulator.protocol import LookAlike
from simulator.rows import ROWS
from simulator.twitter import Twitter, TwitterOAuth2

LOOK_ALIKES: tuple[type[LookAlike], ...] = (
    Google,
    Facebook,
    GitHub,
    Apple,
    Microsoft,
    LinkedIn,
    GitLab,
    Slack,
    Yahoo,
    Twitch,
    Kakao,
    Salesforce,
    ORCID,
    Twitter,
    TwitterOAuth2,
    *ROWS,
)
# Served, but in the settings only if a test asks for them.
NAMED_ISSUERS: tuple[type[LookAlike], ...] = (Acme, Globex)
