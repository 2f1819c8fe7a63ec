"""The profile responses of each plain OAuth 2.0 provider, in the real provider's format.

Each function takes the person and the granted scopes. ``…_token``: members of the token response.
"""

from typing import Any

from simulator.people import Person

Scopes = tuple[str, ...]


def token(_person: Person, scopes: Scopes) -> dict[str, Any]:
    """Return what most token responses hold (RFC 6749 5.1)."""
    return {"expires_in": 3600, "scope": " ".join(scopes)}


def amazon(person: Person, _scopes: Scopes) -> Any:
    subject = f"amzn1.account.{person.subject('amazon', 20)}"
    return {
        "user_id": subject,
        "name": person.name,
        "email": person.email,
        "postal_code": "98101",
    }


def atlassian(person: Person, _scopes: Scopes) -> Any:
    return {
        "account_type": "atlassian",
        "account_id": f"712020:{person.subject('atlassian', 12)}",
        "email": person.email,
        "email_verified": person.email_verified,
        "name": person.name,
        "picture": f"https://secure.gravatar.com/avatar/{person.key}",
        "account_status": "active",
        "nickname": person.username,
        "zoneinfo": "Australia/Perth",
        "locale": "en-GB",
    }


def bitbucket_token(_person: Person, scopes: Scopes) -> dict[str, Any]:
    # "scopes", not "scope".
    return {"expires_in": 7200, "refresh_token": "r", "scopes": " ".join(scopes)}


def bitbucket(person: Person, _scopes: Scopes) -> Any:
    digits = person.subject("bitbucket", 12)
    return {
        "account_id": f"557058:aaaa1111-bb22-cc33-dd44-{digits}",
        "uuid": f"{{0a1b2c3d-0000-4000-8000-{digits}}}",
        "display_name": person.name,
        "nickname": person.username,
        "type": "user",
        "account_status": "active",
        "links": {
            "avatar": {"href": f"https://secure.gravatar.com/avatar/{person.key}.png"},
            "html": {"href": f"https://bitbucket.org/%7B{digits}%7D/"},
        },
    }


def bitbucket_emails(person: Person, _scopes: Scopes) -> Any:
    rows = [
        {
            "email": email,
            "is_primary": email == person.email,
            "is_confirmed": confirmed,
            "type": "email",
        }
        for email, confirmed in (
            (f"{person.key}@earlier.example", True),
            (person.email, person.email_verified),
        )
        if email
    ]
    return {"pagelen": 10, "page": 1, "size": len(rows), "values": rows}


def digitalocean(person: Person, _scopes: Scopes) -> Any:
    account = {
        "droplet_limit": 25,
        "email": person.email,
        "name": person.name,
        "uuid": person.subject("digitalocean", 20),
        "email_verified": person.email_verified,
        "status": "active",
        "status_message": "",
        "team": {"uuid": "t1", "name": "My Team"},
    }
    return {"account": account}


def discord(person: Person, scopes: Scopes) -> Any:
    mail = {"verified": person.email_verified, "email": person.email}
    return {
        "id": person.subject("discord", 18),
        "username": person.username or person.key,
        "discriminator": "0",
        "global_name": person.name or None,
        "avatar": "a_1f2e3d4c5b6a79887766554433221100" if person.email else None,
        "mfa_enabled": True,
        "locale": "en-GB",
        **(mail if "email" in scopes else {}),
        "flags": 0,
        "premium_type": 0,
    }


def dropbox(person: Person, _scopes: Scopes) -> Any:
    given, _, surname = person.name.partition(" ")
    photo = {"profile_photo_url": f"https://dl-web.dropbox.com/account_photo/{person.key}"}
    return {
        "account_id": f"dbid:AA{person.subject('dropbox', 20)}",
        "name": {
            "given_name": given,
            "surname": surname,
            "familiar_name": given,
            "display_name": person.name,
            "abbreviated_name": f"{given[:1]}{surname[:1]}",
        },
        "email": person.email or "",
        "email_verified": person.email_verified,
        "disabled": False,
        **(photo if person.email else {}),
        "country": "GB",
        "locale": "en",
        "account_type": {".tag": "basic"},
    }


def figma_token(person: Person, _scopes: Scopes) -> dict[str, Any]:
    user_id = int(person.subject("figma", 19))
    return {"user_id": user_id, "expires_in": 7776000, "refresh_token": "r"}


def figma(person: Person, _scopes: Scopes) -> Any:
    return {
        "id": person.subject("figma", 19),
        "email": person.email,
        "handle": person.name,
        "img_url": f"https://s3-alpha.figma.com/profile/{person.key}",
    }


def naver_token(_person: Person, _scopes: Scopes) -> dict[str, Any]:
    return {"refresh_token": "r", "expires_in": "3600"}


def naver(person: Person, _scopes: Scopes) -> Any:
    # Everything but the id is present only with the person's consent.
    agreed = {
        "nickname": person.username,
        "name": person.name,
        "email": person.email,
        "gender": "F",
        "age": "20-29",
        "birthday": "10-01",
        "profile_image": f"https://ssl.pstatic.net/{person.key}.png",
    }
    said = {name: value for name, value in agreed.items() if value}
    response = {"id": f"aB3-{person.subject('naver', 20)}", **said}
    return {"resultcode": "00", "message": "success", "response": response}


def notion_token(person: Person, _scopes: Scopes) -> dict[str, Any]:
    user = {
        "object": "user",
        "id": f"d40e767c-0000-4000-8000-{person.subject('notion', 12)}",
        "name": person.name,
        "avatar_url": f"https://s3.example/{person.key}.png" if person.email else None,
        "type": "person",
        "person": {"email": person.email} if person.email else {},
    }
    return {
        "bot_id": "b1",
        "workspace_id": "0a1b2c3d-1111-4222-8333-abcdefabcdef",
        "workspace_name": "Garden",
        "workspace_icon": None,
        "owner": {"type": "user", "user": user},
    }


def reddit(person: Person, _scopes: Scopes) -> Any:
    icon = f"https://styles.redditmedia.com/{person.key}.png?width=256&amp;s=0"
    return {
        "id": person.subject("reddit", 8),
        "name": person.username or person.key,
        "icon_img": icon,
        "has_verified_email": person.email_verified,
        "created_utc": 1500000000.0,
        "link_karma": 10,
        "comment_karma": 20,
        "is_suspended": False,
    }


def spotify(person: Person, scopes: Scopes) -> Any:
    username = person.username or person.key
    image = {"url": f"https://i.scdn.co/image/{person.key}", "height": 300, "width": 300}
    mail = {"email": person.email} if "user-read-email" in scopes else {}
    return {
        "account_id": f"7f3k{person.subject('spotify', 18)}",
        "display_name": person.name or None,
        **mail,
        "external_urls": {"spotify": f"https://open.spotify.com/user/{username}"},
        "href": f"https://api.spotify.com/v1/users/{username}",
        "id": username,
        "images": [image] if person.email else [],
        "type": "user",
        "uri": f"spotify:user:{username}",
    }


def yandex(person: Person, scopes: Scopes) -> Any:
    first, _, last = person.name.partition(" ")
    mail = {"default_email": person.email or "", "emails": [person.email] * bool(person.email)}
    return {
        "id": person.subject("yandex", 16),
        "login": person.username or person.key,
        "client_id": "c",
        "display_name": first,
        "real_name": person.name,
        "first_name": first,
        "last_name": last,
        "sex": None,
        **(mail if "login:email" in scopes else {}),
        "is_avatar_empty": not person.email,
        "default_avatar_id": "131652443/abc-1" if person.email else "0/0-0",
        "psuid": f"1.AA.{person.key}",
    }


def zoom(person: Person, _scopes: Scopes) -> Any:
    first, _, last = person.name.partition(" ")
    return {
        "id": f"Zm4d{person.subject('zoom', 18)}",
        "first_name": first,
        **({"last_name": last} if last else {}),
        "display_name": person.name,
        "email": person.email,
        "type": 1,
        "verified": int(person.email_verified),
        "pic_url": f"https://us04web.zoom.us/p/v2/{person.key}.jpg",
        "account_id": "acc1",
        "language": "it-IT",
        "status": "active",
    }
