"""A fake Firebase: ID tokens for invented people, and the keys that verify them in both formats
that Google publishes.
"""

import base64
import hashlib
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from flask import Blueprint, Response, jsonify, request

from simulator.misbehaviour import ANSWERS
from simulator.people import PEOPLE, Person
from simulator.signing import SPOILT_CLAIMS, Claims, Signer, segment

PROJECT_ID = "look-alike-project"
# Firebase's names of providers, and how the fake providers form their ids.
DIGITS = {
    "google.com": ("google", 21),
    "facebook.com": ("facebook", 17),
    "github.com": ("github", 8),
    "apple.com": ("apple", 21),
    "twitter.com": ("twitter", 19),
}
# Sign-in methods whose addresses Firebase treats as verified.
TRUSTED = ("google.com", "apple.com")


def spoil_firebase(claims: Claims, **changes: Any) -> Claims:
    return claims | {"firebase": claims["firebase"] | changes}


# Flaws in addition to those of every ID token.
SPOILT_FIREBASE: dict[str, Callable[[Claims], Claims]] = {
    "other_project": lambda claims: claims | {"aud": "p2", "iss": f"{claims['iss']}2"},
    "issuer_of_google": lambda claims: claims | {"iss": "https://accounts.google.com"},
    "audience_list": lambda claims: claims | {"aud": [claims["aud"], "another-project"]},
    "sub_of_129": lambda claims: claims | {"sub": "u" * 129},
    "auth_time_to_come": lambda claims: claims | {"auth_time": int(time.time()) + 3600},
    "auth_time_as_text": lambda claims: claims | {"auth_time": "now"},
    "no_auth_time": lambda claims: {k: v for k, v in claims.items() if k != "auth_time"},
    "no_firebase": lambda claims: {k: v for k, v in claims.items() if k != "firebase"},
    "firebase_as_list": lambda claims: claims | {"firebase": [claims["firebase"]]},
    "anonymous": lambda claims: spoil_firebase(claims, sign_in_provider="anonymous", identities={}),
    "no_way": lambda claims: spoil_firebase(claims, sign_in_provider=None),
    "a_tenant": lambda claims: spoil_firebase(claims, tenant="tenant-1"),
    "no_identity": lambda claims: spoil_firebase(claims, identities={"email": ["a@b.example"]}),
    "two_identities": lambda claims: spoil_firebase(claims, identities={"google.com": ["1", "2"]}),
    "identity_as_object": lambda claims: spoil_firebase(claims, identities={"google.com": [{}]}),
    "identity_blank": lambda claims: spoil_firebase(claims, identities={"google.com": [" "]}),
    "identity_empty": lambda claims: spoil_firebase(claims, identities={"google.com": [""]}),
}


class Firebase(Signer):
    """A fake Firebase. ``mint`` creates tokens; ``keys_answer`` replaces the response of the key
    endpoints."""

    def __init__(self) -> None:
        super().__init__("firebase")
        self.seen: list[str] = []
        self.cache_control: str | None = "public, max-age=19302, must-revalidate, no-transform"
        self.keys_answer = ""

    def note(self, what: str) -> None:
        self.seen.append(what)

    def claims(self, person: Person, way: str = "google.com", **changes: Any) -> Claims:
        """Return the claims. ``way`` is Firebase's name of the sign-in method."""
        now = int(time.time())
        uid = uid_of(person, way)
        claims: Claims = {
            "name": person.name or None,
            "picture": f"https://lh3.googleusercontent.com/a/{person.key}=s96-c",
            "iss": f"https://securetoken.google.com/{PROJECT_ID}",
            "aud": PROJECT_ID,
            "auth_time": now,
            "user_id": uid,
            "sub": uid,
            "iat": now,
            "exp": now + 3600,
            "email": person.email,
            "email_verified": person.email_verified and way in (*TRUSTED, "password"),
            "firebase": {"identities": identities_of(person, way), "sign_in_provider": way},
        }
        if way == "phone":
            claims |= {"email": None, "email_verified": None, "phone_number": "+15555550100"}
        said = {name: value for name, value in claims.items() if value is not None}
        return said | changes

    def mint(self, person: str, way: str = "google.com", flaw: str = "", **changes: Any) -> str:
        """Create an ID token. ``flaw`` names what is wrong with it."""
        claims = self.claims(PEOPLE[person], way, **changes)
        spoil = {**SPOILT_CLAIMS, **SPOILT_FIREBASE}.get(flaw)
        if spoil:
            return self.sign(spoil(claims))
        return (self.spoil(flaw, claims) or "") if flaw else self.sign(claims)

    def mint_unsigned(self, person: str, way: str = "google.com", flaw: str = "") -> str:
        """Create an ID token as the local emulator does."""
        claims = self.claims(PEOPLE[person], way)
        if flaw:
            claims = {**SPOILT_CLAIMS, **SPOILT_FIREBASE}[flaw](claims)
        return f"{segment({'alg': 'none', 'typ': 'JWT'})}.{segment(claims)}."

    @staticmethod
    def claims_of(token: str) -> Claims:
        """Return a token's claims, unchecked."""
        return dict(json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "==")))

    def jwk_set(self) -> dict[str, Any]:
        return {"keys": [self.key.as_dict(private=False, use="sig", alg="RS256")]}

    def certificates(self) -> dict[str, str]:
        """Return certificates by key id, as at https://www.googleapis.com/robot/v1/metadata/x509/…"""
        return {str(self.key.kid): certificate(self.key.private_key)}  # type: ignore[arg-type]


def settings(url: str) -> dict[str, str]:
    """Return the variables that point a site at ``url``, where this provider is served."""
    return {"FIREBASE_PROJECT_ID": PROJECT_ID, "FIREBASE_JWKS_URL": f"{url}/jwk"}


def uid_of(person: Person, way: str) -> str:
    """Return one Firebase user per method, as in a project that does not join equal addresses."""
    return hashlib.sha256(f"firebase:{way}:{person.key}".encode()).hexdigest()[:28]


def identities_of(person: Person, way: str) -> dict[str, list[str]]:
    identities = {}
    if way in DIGITS:
        provider, digits = DIGITS[way]
        identities[way] = [person.subject(provider, digits)]
    if way == "phone":
        identities["phone"] = ["+15555550100"]
    elif person.email:
        identities["email"] = [person.email]
    return identities


def certificate(key: RSAPrivateKey) -> str:
    """Create a self-signed X.509 certificate in PEM."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "securetoken.look-alike")])
    begin = datetime.now(UTC) - timedelta(days=1)
    builder = x509.CertificateBuilder(
        name, name, key.public_key(), x509.random_serial_number(), begin, begin + timedelta(16)
    )
    signed = builder.sign(key, SHA256())
    return signed.public_bytes(Encoding.PEM).decode()


def blueprint(firebase: Firebase) -> Blueprint:
    routes = Blueprint("firebase", __name__, url_prefix="/firebase")

    def publish(keys: object) -> Response:
        firebase.note("keys")
        if firebase.keys_answer:
            return ANSWERS[firebase.keys_answer]()
        response = Response(json.dumps(keys), mimetype="application/json")
        if firebase.cache_control is not None:
            response.headers["Cache-Control"] = firebase.cache_control
        return response

    @routes.get("/jwk")
    def jwk_set() -> Response:
        return publish(firebase.jwk_set())

    @routes.get("/x509")
    def certificates() -> Response:
        return publish(firebase.certificates())

    @routes.get("/token")
    def token() -> Response | tuple[Response, int]:
        """Return the token that an app would have after its person signed in, for trying things
        out."""
        person = request.args.get("person", "ada")
        if person not in PEOPLE:
            return jsonify(error=f"be one of {', '.join(PEOPLE)}"), 400
        made = firebase.mint(person, request.args.get("provider", "google.com"))
        return Response(made, mimetype="application/jwt")

    return routes
