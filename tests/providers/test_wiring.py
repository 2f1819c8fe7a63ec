"""Everything a provider needs elsewhere: variables, routes, a fake, a mark, documentation."""

import re
from xml.etree import ElementTree as ET

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

import config
from config.registrations import CREDENTIALS
from errors import SettingsError
from providers import PROVIDERS
from simulator import environment
from tests.providers.contract import ROOT, every_provider
from tests.site import ALL, Site, Sites

MARKS = sorted((ROOT / "static" / "idp").glob("*.svg"))


@pytest.fixture
def site(make_site: Sites) -> Site:
    """A site with every provider."""
    return make_site(look_alikes=ALL)


@every_provider
def test_the_variables_of_a_provider_enable_that_provider_alone(provider):
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    variables = {
        CREDENTIALS[name][0].format(provider.key.upper()): pem if name == "private_key" else name
        for name in provider.credentials
    }
    settings = config.load(PROVIDERS.values(), variables, None)
    assert list(settings.registrations) == [provider.name]
    assert settings.registrations[provider.name].client_id == "client_id"
    for missing in variables:
        some = {name: value for name, value in variables.items() if name != missing}
        with pytest.raises(SettingsError, match=missing):
            config.load(PROVIDERS.values(), some, None)


@every_provider
def test_the_routes_of_a_provider_collide_with_no_other(make_site, provider):
    """A provider named "confirm" would hide one of our pages."""
    site = make_site(look_alikes=(provider.key,))
    routes = site.app.url_map.bind("localhost")
    assert routes.match(f"/login/{provider.name}") == (f"{provider.name}.login", {})
    callback = f"/login/{provider.name}/authorized"
    assert routes.match(callback) == (f"{provider.name}.authorized", {})


@every_provider
def test_every_fake_provider_signs_a_user_in(make_site, provider):
    site = make_site(look_alikes=(provider.key,))
    browser, look_alike = site.browser(), getattr(site.simulator, provider.key)
    assert look_alike.label == provider.label
    assert f"{provider.key.upper()}_CLIENT_ID" in environment(site.simulator.url, provider.key)
    page = browser.sign_in(provider.name, "grace")
    assert (page.status, page.path) == (200, "/account")
    assert look_alike.seen
    (row,) = site.rows("SELECT provider, issuer, subject FROM oauth")
    assert row.provider == provider.name
    assert row.issuer.startswith(site.simulator.url)
    assert row.subject


@every_provider
def test_cancelling_at_any_fake_provider_says_so(make_site, provider):
    page = make_site(look_alikes=(provider.key,)).browser().cancel(provider.name)
    assert (page.status, page.alert) == (403, "Sign-in wasn't completed")


@pytest.mark.parametrize(
    "key", [k for k, p in PROVIDERS.items() if "client_secret" in p.credentials]
)
def test_a_wrong_secret_at_any_fake_provider_is_reported_as_misconfigured(make_site, key):
    provider = PROVIDERS[key]
    wrong = {f"{provider.key.upper()}_CLIENT_SECRET": "wrong"}
    browser = make_site(look_alikes=(provider.key,), **wrong).browser()
    page = browser.fetch(f"/login/{provider.name}")
    if page.status == 302:  # in OAuth 1.0a it is used from the first request
        page = browser.get(browser.choose(page.location, "ada"))
    assert page.alert == f"{provider.label} sign-in isn't working on this site"


def test_the_doctor_passes_for_all_fake_providers(make_site):
    """Each fake provider refuses a made-up code for that reason only."""
    result = make_site(look_alikes=()).app.test_cli_runner().invoke(args=["providers", "check"])
    assert result.exit_code == 0, result.output
    assert result.output.count("reachable and knows the client") == len(
        {provider.name for provider in PROVIDERS.values()}
    )


@pytest.mark.parametrize("path", MARKS, ids=lambda path: path.stem)
def test_a_providers_mark_can_be_inlined_in_a_page(path):
    """It is inlined unchanged, so it must not run, load or style anything (CSP)."""
    assert path.stem in {"key", *(provider.name for provider in PROVIDERS.values())}
    text = path.read_text(encoding="utf-8")
    root = ET.fromstring(text)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert root.get("viewBox")
    assert root.get("aria-hidden") == "true", "the label beside it says the rest"
    for element in root.iter():
        tag = str(element.tag).rpartition("}")[2]
        assert tag in ("svg", "g", "path", "circle", "rect", "polygon", "ellipse"), tag
        for name in element.attrib:
            local = name.rpartition("}")[2].lower()
            assert not local.startswith("on"), name
            assert local not in ("style", "href", "id", "class"), name
    assert len(text) < 5000
    sources = (ROOT / "static" / "idp" / "SOURCES.md").read_text(encoding="utf-8")
    assert f"| {path.name} |" in sources


@every_provider
def test_a_providers_button_has_a_mark_or_a_letter(make_site, provider):
    site = make_site(look_alikes=(provider.key,))
    html = site.browser().get("/login").html
    (chip,) = re.findall(r'class="chip [^"]*"(?: data-letter="(.)"[^>]*>|>(<svg.*?</svg>))', html)
    path = ROOT / "static" / "idp" / f"{provider.name}.svg"
    drawn = path.read_text(encoding="utf-8").strip() if path.exists() else provider.label[0]
    assert drawn in chip


@every_provider
def test_the_documentation_explains_how_to_register_each_provider(provider):
    index = (ROOT / "docs" / "providers" / "README.md").read_text(encoding="utf-8")
    (row,) = [line for line in index.splitlines() if line.startswith(f"| [{provider.label}](")]
    assert provider.console in row
    assert f"`/login/{provider.name}/authorized`" in row
    assert (f"`{provider.protocol.scope}`" if provider.protocol.scope else "none") in row


@every_provider
def test_every_provider_has_a_page_that_the_index_links_to(provider):
    docs = ROOT / "docs" / "providers"
    page = (docs / f"{provider.name}.md").read_text(encoding="utf-8")
    assert f"# {provider.label}\n" in page
    assert f"/login/{provider.name}/authorized" in page
    assert f"{provider.key.upper()}_CLIENT_ID" in page
    assert provider.console in page
    assert f"]({provider.name}.md)" in (docs / "README.md").read_text(encoding="utf-8")
