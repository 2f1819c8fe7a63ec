"""The invented people that you can be at a fake provider."""

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True)
class Person:
    """``email_verified`` is what the provider would say; Facebook says nothing."""

    key: str
    name: str
    about: str
    email: str | None = None
    email_verified: bool = True
    username: str | None = None
    # A Google Workspace domain, which Google vouches for.
    workspace: str | None = None

    def subject(self, provider: str, digits: int) -> str:
        """Return this person's id at a provider: stable, digits only, different at each."""
        number = int(hashlib.sha256(f"{provider}:{self.key}".encode()).hexdigest(), 16)
        return str(10 ** (digits - 1) + number % (9 * 10 ** (digits - 1)))


PEOPLE = {
    person.key: person
    for person in (
        Person(
            "ada",
            "Ada Lovelace",
            "The same verified address everywhere",
            email="ada@gmail.com",
            username="ada",
        ),
        Person(
            "grace",
            "Grace Hopper",
            "A verified address on a company's domain",
            email="grace@navy.example",
            username="grace",
            workspace="navy.example",
        ),
        Person(
            "linus",
            "Linus Pauling",
            "A verified address that the provider does not run",
            email="linus@chemistry.example",
            username="linus",
        ),
        Person(
            "mallory",
            "Mallory",
            "Claims Ada's address; it was never verified",
            email="ada@gmail.com",
            email_verified=False,
            username="mallory",
        ),
        Person(
            "uma",
            "Uma Unverified",
            "An address that was never verified",
            email="uma@example.com",
            email_verified=False,
            username="uma",
        ),
        Person("noa", "Noa Phone", "Shares no address at all", username="noa-phone"),
        Person(
            "wolfe",
            "Hubert Blaine Wolfeschlegelsteinhausenbergerdorff the Elder of Philadelphia "
            "in the Commonwealth of Pennsylvania",
            "A very long name and address",
            email="hubert.blaine.wolfeschlegelsteinhausenbergerdorff.senior"
            "@wolfeschlegelsteinhausenbergerdorff.example",
            username="wolfeschlegelsteinhausenbergerdorff",
        ),
        Person(
            "leila",
            "ليلى بنت محمد الأندلسية",
            "A name that is written from right to left",
            email="leila@andalus.example",
            username="leila",
        ),
        Person(
            "bobby",
            "Robert'); DROP TABLE users;--<script>alert(1)</script>",
            "A hostile name",
            email="bobby@tables.example",
            username="bobby<b>",
        ),
        Person("anon", "", "No name, no username, no address"),
    )
}
