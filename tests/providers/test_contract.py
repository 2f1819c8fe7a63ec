"""Rules that every provider keeps. A new provider fails here with what is missing
(CONTRIBUTING.md)."""

import ast
import copy
import re
import sys
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest

from config.validators import check_endpoint
from errors import ProviderError
from providers import PROVIDERS
from providers.base import Profile, Provider
from providers.parts import AuthorizationCode, OpenIDConnect
from tests.providers.contract import ROOT, every_provider, getter, read_sample

MACHINERY = {"__init__", "answers", "base", "criteria", "parts", "profile", "reference"}
PROVIDER_FILES = sorted(
    path for path in (ROOT / "providers").glob("*.py") if path.stem not in MACHINERY
)
# Modules of the standard library that would give a provider's file side effects.
ACTS = {"asyncio", "ftplib", "http", "importlib", "os", "pathlib", "smtplib", "socket", "sqlite3"}
ACTS |= {"ssl", "subprocess", "threading", "urllib.request"}
# Parameters of the authorization request that belong to the flow (RFC 6749 4.1.1, 7636, 9101).
THE_FLOWS_OWN = {"client_id", "redirect_uri", "response_type", "response_mode", "scope", "state"}
THE_FLOWS_OWN |= {"nonce", "code_challenge", "code_challenge_method", "request", "request_uri"}


def sample(provider: Provider) -> tuple[dict[str, Any], dict[str, Any]]:
    content = read_sample(provider.key)
    return content["answers"], content["expected"]


def subject_parts(provider: Provider) -> list[str]:
    """The values of the sample that form the subject."""
    content = read_sample(provider.key)
    return list(content.get("subject_parts", [content["expected"]["subject"]]))


def varied(answers: dict[str, Any], variant: dict[str, Any]) -> dict[str, Any]:
    """The answers with some values replaced and some dropped."""
    said: dict[str, Any] = copy.deepcopy(answers)
    for place in [*variant.get("set", {}), *variant.get("drop", [])]:
        *way, last = place.split(" > ")
        inner: Any = said
        for key in way:
            inner = inner[int(key)] if isinstance(inner, list) else inner[key]
        if place in variant.get("set", {}):
            inner[last] = variant["set"][place]
        else:
            del inner[last]
    return said


VARIANTS = [
    pytest.param(provider, variant, id=f"{name}: {variant['about']}")
    for name, provider in PROVIDERS.items()
    for variant in read_sample(provider.key)["variants"]
]


def changed(value: Any, change: Callable[[Any], Any]) -> Any:
    """The same JSON with each of its leaves changed."""
    if isinstance(value, dict):
        return {name: changed(each, change) for name, each in value.items()}
    if isinstance(value, list):
        return [changed(each, change) for each in value]
    return change(value)


def urls_of(provider: Provider) -> Iterator[str]:
    """Every URL in the provider's value."""
    for name, value in vars(provider.protocol).items():
        if name.endswith(("_endpoint", "_url", "issuer")) and isinstance(value, str):
            yield value
    yield provider.console


# The value.


@every_provider
def test_a_providers_name_is_a_slug_and_its_catalogue_key(provider):
    assert re.fullmatch(r"[a-z][a-z0-9_]{1,30}", provider.name), (
        "the name stands in routes, in names of variables and in the database"
    )
    assert PROVIDERS[provider.key] is provider
    assert PROVIDERS[provider.name].label == provider.label


def test_no_two_providers_share_a_name_or_label():
    """The second of one name would silently replace the first."""
    defined = [
        value
        for path in PROVIDER_FILES
        for value in vars(sys.modules[f"providers.{path.stem}"]).values()
        if isinstance(value, Provider)
    ]
    assert len({provider.key for provider in defined}) == len(defined) == len(PROVIDERS)
    assert len({provider.label.casefold() for provider in defined}) == len(
        {provider.name for provider in defined}
    )


@every_provider
def test_a_providers_label_fits_on_a_button(provider):
    assert provider.label == provider.label.strip()
    assert 0 < len(provider.label) <= 30
    # The last is for Amazon's brand; no other button uses the word.
    assert provider.verb in ("Continue with", "Sign in with", "Login with")
    assert all(unicodedata.category(character)[0] != "C" for character in provider.label)


@every_provider
def test_every_url_of_a_provider_is_plain_https(provider):
    for url in urls_of(provider):
        bare = url.replace("{version}", getattr(provider.protocol, "api_version", ""))
        parts = urlsplit(bare)
        assert parts.scheme == "https", url
        assert re.fullmatch(r"([a-z0-9-]+\.)+[a-z]{2,}", parts.netloc), url
        assert not parts.query, url
        assert not parts.fragment, url
        assert re.fullmatch(r"[!-~]+", bare), url
        assert not set("{}") & set(bare), f"only {{version}} may stand in an address: {url}"


@every_provider
def test_a_providers_base_urls_can_be_joined_with_paths(provider):
    protocol = provider.protocol
    if isinstance(protocol, OpenIDConnect):
        # Compared byte by byte with the issuer in metadata and id_token.
        assert check_endpoint(protocol.issuer) == protocol.issuer
        return
    assert protocol.api_url.endswith("/"), "the paths given to get hang on api_url"
    versioned = "{version}" in protocol.api_url + protocol.token_endpoint
    assert bool(protocol.api_version) == versioned
    assert not protocol.api_version or re.fullmatch(r"[A-Za-z0-9._-]+", protocol.api_version)


@every_provider
def test_a_providers_scope_is_valid_for_its_protocol(provider):
    protocol = provider.protocol
    names = protocol.scope.split(" ") if protocol.scope else []
    assert all(re.fullmatch(r"[!#-\[\]-~]+", name) for name in names), "RFC 6749 3.3"
    assert not any("," in name for name in names), "scope_separator joins them, not the value"
    assert len(set(names)) == len(names)
    if isinstance(protocol, OpenIDConnect):
        assert "openid" in names, "OpenID Connect Core 3.1.2.1"
    if isinstance(protocol, AuthorizationCode):
        assert protocol.scope_separator in (" ", ",")
        aliased = set(protocol.scope_aliases.values())
        assert aliased <= set(names), "an alias of a scope never asked for"


@every_provider
def test_a_provider_overrides_no_parameter_of_the_flow(provider):
    own = [getattr(provider.protocol, "offline_params", {}), provider.protocol.authorize_params]
    for params in (*own, provider.reauth_params, provider.ask_email_params):
        assert not set(params) & THE_FLOWS_OWN
        assert all(isinstance(value, str) for value in params.values())


@every_provider
def test_an_error_code_of_a_provider_has_one_meaning(provider):
    errors = provider.errors
    assert not errors.misconfigured & errors.code_refused
    for code in errors.misconfigured | errors.code_refused:
        assert isinstance(code, str), "a code that the provider sends as a number is text here"
        assert code == code.strip() != ""


@every_provider
def test_a_providers_request_proof_reveals_neither_secret_nor_token(provider):
    """It is sent in a query, and queries end up in other people's logs."""
    if not isinstance(provider.protocol, AuthorizationCode):
        return
    sign = provider.protocol.sign_request
    params = sign("the-client-secret", "the-access-token")
    assert all(isinstance(value, str) for value in params.values())
    assert "the-client-secret" not in repr(params)
    assert "the-access-token" not in repr(params)
    if params:
        assert params != sign("another-client-secret", "the-access-token")
        assert params != sign("the-client-secret", "another-access-token")


# The profile.


@every_provider
def test_a_providers_sample_becomes_the_expected_profile(provider):
    answers, expected = sample(provider)
    assert asdict(provider.profile(answers.__getitem__)) == expected
    assert set(expected) == set(Profile.__slots__)


@every_provider
def test_a_providers_email_trust_is_that_of_its_sample(provider):
    """The level stands in the docs' tables, and decides what visitors are told."""
    profile = provider.profile(sample(provider)[0].__getitem__)
    assert profile.email_trusted == (provider.email.level == "trusted")
    assert profile.email_verified == (provider.email.level in ("trusted", "verified"))
    assert (profile.email is None) == (provider.email.level == "none")


@pytest.mark.parametrize(("provider", "variant"), VARIANTS)
def test_awkward_responses_of_a_provider_become_the_expected_profile(provider, variant):
    answers, expected = sample(provider)
    get = getter(varied(answers, variant))
    if variant.get("refused"):
        with pytest.raises(ProviderError):
            provider.profile(get)
    else:
        assert asdict(provider.profile(get)) == {**expected, **variant["expected"]}


@every_provider
def test_a_provider_is_asked_below_its_own_api_only(provider):
    """The access token is sent with each request, so a path elsewhere would leak it."""
    answers, _expected = sample(provider)
    asked: list[str] = []

    def get(url: str) -> Any:
        asked.append(url)
        return answers[url]

    provider.profile(get)
    assert asked
    for url in asked:
        if isinstance(provider.protocol, OpenIDConnect):
            assert url in ("id_token", "userinfo", "form_user")
        elif url != "token":
            path = url.removeprefix("POST ")
            base = provider.protocol.api_url
            joined = urljoin(base, path)
            assert joined.startswith(base), f"{url} leaves {base}"
            assert joined == base + path


@every_provider
def test_only_the_subject_identifies_a_user(provider):
    """Accounts keyed on names or addresses: allauth CVE-2025-65431, nOAuth, 19 of social-core."""
    answers, expected = sample(provider)
    kept = subject_parts(provider)

    def renamed(value: Any) -> Any:
        return "somebody-else" if isinstance(value, str) and value not in kept else value

    profile = provider.profile(changed(answers, renamed).__getitem__)
    assert profile.subject == expected["subject"]
    assert (profile.name, profile.username) != (expected["name"], expected["username"])


@every_provider
@pytest.mark.parametrize("odd", [None, "", True, False, 1.5, [], {}, ["1"], "9" * 256, "a\0b"])
def test_a_profile_without_a_usable_subject_is_refused(provider, odd):
    """A missing id stored as "None" made one account of many people (social-core)."""
    answers, _expected = sample(provider)
    for part in subject_parts(provider):

        def spoilt(value: Any, part: str = part) -> Any:
            return odd if str(value) == part else value

        with pytest.raises(ProviderError):
            provider.profile(changed(answers, spoilt).__getitem__)


@every_provider
@pytest.mark.parametrize("denial", [False, None, 0, "false", "False", "", "0", "no", [], {}])
def test_an_address_is_verified_only_where_the_provider_says_so(provider, denial):
    """The string "false" is false: Casdoor CVE-2026-9092, Nhost CVE-2026-41574."""
    answers, _expected = sample(provider)
    vouching = [(type(value), value) for value in read_sample(provider.key)["vouched_by"]]

    def denied(value: Any) -> Any:
        return denial if (type(value), value) in vouching else value

    profile = provider.profile(changed(answers, denied).__getitem__)
    assert not profile.email_verified
    assert not profile.email_trusted


@every_provider
def test_a_profile_with_nothing_but_a_subject_is_accepted(provider):
    answers, expected = sample(provider)

    def hidden(value: Any) -> Any:
        return value if str(value) in subject_parts(provider) else None

    profile = provider.profile(changed(answers, hidden).__getitem__)
    assert profile == Profile(subject=expected["subject"])


# The file.


@pytest.mark.parametrize("path", PROVIDER_FILES, ids=lambda path: path.stem)
def test_a_providers_file_has_no_side_effects(path):
    """No client, no table, no request: everything it needs comes through ``get``."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        modules = []
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            modules = [node.module or ""]
        for module in modules:
            top = module.partition(".")[0]
            ours = module in (
                "config.registrations",
                "errors",
                "providers.answers",
                "providers.base",
                "providers.criteria",
                "providers.organisations",
                "providers.parts",
                "providers.profile",
            )
            ours = ours or module in ("keys.client_secret", f"providers.{path.stem}_access")
            standard = top in sys.stdlib_module_names and not {top, module} & ACTS
            assert ours or standard, f"{path.name} imports {module}"


@pytest.mark.parametrize("path", PROVIDER_FILES, ids=lambda path: path.stem)
def test_a_providers_file_links_to_the_providers_documentation(path):
    """A rule without a source cannot be checked."""
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    assert re.search(r"https://\S+\.\S+/", docstring)
