"""Plain OAuth 2.0 providers, one row each: paths and quirks."""

from typing import ClassVar

from simulator import answers, organisations
from simulator.declared import Answers, Declared

BOTH = ("post", "basic")


class Amazon(Declared):
    name, label = "amazon", "Amazon"
    pkce = False
    authorize_path, token_path, api_path = "ap/oa", "auth/o2/token", ""
    says: ClassVar[Answers] = {"user/profile": answers.amazon}


class Atlassian(organisations.Atlassian):
    name, label = "atlassian", "Atlassian"
    authorize_path, token_path, api_path = "authorize", "oauth/token", ""
    must_say: ClassVar[dict[str, str]] = {"audience": "api.atlassian.com"}
    says: ClassVar[Answers] = {"me": answers.atlassian}


class Bitbucket(organisations.Bitbucket):
    name, label = "bitbucket", "Bitbucket"
    pkce = False
    client_auth = ("basic",)
    authorize_path, token_path = "site/oauth2/authorize", "site/oauth2/access_token"
    api_path = "2.0/"
    places = ("profile", "emails")
    says: ClassVar[Answers] = {
        "token": answers.bitbucket_token,
        "user": answers.bitbucket,
        "user/emails": answers.bitbucket_emails,
    }


class DigitalOcean(Declared):
    name, label = "digitalocean", "DigitalOcean"
    pkce = False
    revoke_path = "v1/oauth/revoke"
    authorize_path, token_path, api_path = "v1/oauth/authorize", "v1/oauth/token", "v2/"
    says: ClassVar[Answers] = {"account": answers.digitalocean}


class Discord(organisations.Discord):
    name, label = "discord", "Discord"
    client_auth = BOTH
    revoke_path = "api/oauth2/token/revoke"
    authorize_path, token_path, api_path = "oauth2/authorize", "api/oauth2/token", "api/"
    says: ClassVar[Answers] = {"users/@me": answers.discord}


class Dropbox(Declared):
    name, label = "dropbox", "Dropbox"
    client_auth = BOTH
    revoke_path = "person 2/auth/token/revoke"
    authorize_path, token_path, api_path = "oauth2/authorize", "oauth2/token", "2/"
    says: ClassVar[Answers] = {"POST users/get_current_account": answers.dropbox}


class Figma(Declared):
    name, label = "figma", "Figma"
    client_auth = ("basic",)
    authorize_path, token_path, api_path = "oauth", "v1/oauth/token", "v1/"
    says: ClassVar[Answers] = {"token": answers.figma_token, "me": answers.figma}


class Naver(Declared):
    name, label = "naver", "Naver"
    pkce = False
    takes_state = errors_as_200 = True
    authorize_path, token_path, api_path = "oauth2.0/authorize", "oauth2.0/token", "v1/"
    says: ClassVar[Answers] = {"token": answers.naver_token, "nid/me": answers.naver}


class Notion(Declared):
    """A fake Notion: the token response describes the person; there is no other endpoint."""

    name, label = "notion", "Notion"
    pkce = False
    client_auth = ("basic",)
    takes_json = True
    authorize_path, token_path, api_path = "v1/oauth/authorize", "v1/oauth/token", "v1/"
    must_say: ClassVar[dict[str, str]] = {"owner": "user"}
    says: ClassVar[Answers] = {"token": answers.notion_token}


class Reddit(Declared):
    name, label = "reddit", "Reddit"
    pkce = False
    client_auth = ("basic",)
    errors_as_200 = wants_user_agent = True
    revoke_path = "api/v1/revoke_token"
    authorize_path, token_path, api_path = "api/v1/authorize", "api/v1/access_token", "api/v1/"
    says: ClassVar[Answers] = {"me": answers.reddit}


class Spotify(Declared):
    name, label = "spotify", "Spotify"
    client_auth = BOTH
    authorize_path, token_path, api_path = "authorize", "api/token", "v1/"
    says: ClassVar[Answers] = {"me": answers.spotify}


class Yandex(Declared):
    name, label = "yandex", "Yandex"
    client_auth = BOTH
    scheme = "OAuth"
    revoke_path = "revoke_token"
    authorize_path, token_path, api_path = "authorize", "token", ""
    says: ClassVar[Answers] = {"info?format=json": answers.yandex}


class Zoom(Declared):
    name, label = "zoom", "Zoom"
    client_auth = ("basic",)
    revoke_path = "oauth/revoke"
    authorize_path, token_path, api_path = "oauth/authorize", "oauth/token", "v2/"
    says: ClassVar[Answers] = {"users/me": answers.zoom}


ROWS: tuple[type[Declared], ...] = (
    Amazon,
    Atlassian,
    Bitbucket,
    DigitalOcean,
    Discord,
    Dropbox,
    Figma,
    Naver,
    Notion,
    Reddit,
    Spotify,
    Yandex,
    Zoom,
)
