"""``flask --app app providers list`` and ``check``."""

from click.testing import Result

from tests.site import USUAL


def run(site, *words: str) -> Result:
    result: Result = site.app.test_cli_runner().invoke(args=["providers", *words])
    return result


def test_list_shows_enabled_providers_and_their_callback_urls(make_site):
    site = make_site(GITHUB_CLIENT_ID="", GITHUB_CLIENT_SECRET="")
    output = run(site, "list").output
    assert "Google: on" in output
    assert f"redirect URI  {site.url}/login/google/authorized" in output
    assert "GitHub: off" in output
    assert f"redirect URI  {site.url}/login/github/authorized" in output
    assert "set GITHUB_CLIENT_ID and GITHUB_CLIENT_SECRET" in output
    assert "secret" not in output.replace("CLIENT_SECRET", "")


def test_check_passes_with_good_settings(site):
    result = run(site, "check")
    assert result.exit_code == 0
    for label in ("Google", "Facebook", "GitHub"):
        assert f"ok    {label}: reachable and knows the client" in result.output


def test_check_finds_a_wrong_secret_and_an_unreachable_provider(make_site):
    site = make_site(
        GOOGLE_CLIENT_SECRET="wrong",
        FACEBOOK_CLIENT_SECRET="wrong",
        GITHUB_TOKEN_URL="http://127.0.0.1:9/token",
    )
    result = run(site, "check")
    assert result.exit_code == 1
    assert "FAIL  Google: refuses the client id, secret or redirect URI" in result.output
    assert "FAIL  Facebook: refuses the client id, secret or redirect URI" in result.output
    assert "FAIL  GitHub: POST http://127.0.0.1:9/token: " in result.output
    assert "wrong" not in result.output


def test_check_finds_a_wrong_issuer(make_site):
    site = make_site()
    site.restart(GOOGLE_ISSUER=f"{site.simulator.url}/google/")
    result = run(site, "check")
    assert result.exit_code == 1
    url = f"{site.simulator.url}/google"
    said = f"the metadata name another issuer: '{url}', while GOOGLE_ISSUER is {url}/"
    assert f"FAIL  Google: {said}; set GOOGLE_ISSUER={url};" in result.output


def test_check_without_a_provider_says_what_to_do(make_site):
    names = [f"{p}_CLIENT_{x}" for p in map(str.upper, USUAL) for x in ("ID", "SECRET")]
    names += ["FIREBASE_PROJECT_ID", "FIREBASE_JWKS_URL"]
    result = run(make_site(**dict.fromkeys(names, "")), "check")
    assert result.exit_code == 1
    assert "No provider is on." in result.output
