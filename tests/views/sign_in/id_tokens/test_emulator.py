"""Firebase's local emulator, whose tokens are unsigned: accepted only if configured."""

import pytest
import requests

from errors import SettingsError
from simulator.firebase import SPOILT_FIREBASE
from simulator.signing import SPOILT_CLAIMS
from tests.config.test_settings import LIVE, faults, load
from tests.views.sign_in.id_tokens.test_refusals import OF_A_FLOW

HOST = "127.0.0.1:9099"
FLAWS = sorted({*SPOILT_CLAIMS, *SPOILT_FIREBASE} - OF_A_FLOW)


@pytest.fixture
def emulated(make_site):
    return make_site(FIREBASE_AUTH_EMULATOR_HOST=HOST)


def test_an_unsigned_token_is_accepted_with_the_emulator_only(site, emulated):
    token = site.simulator.firebase.mint_unsigned("grace")
    assert site.browser().bring(token).status == 401
    app = emulated.browser()
    assert app.bring(token).status == 200
    assert app.me()["name"] == "Grace Hopper"
    bearer = {"Authorization": f"Bearer {token}"}
    assert emulated.browser().fetch("/api/v1/me", headers=bearer).status == 200


@pytest.mark.parametrize("flaw", FLAWS)
def test_all_other_checks_apply_to_emulator_tokens(emulated, flaw):
    token = emulated.simulator.firebase.mint_unsigned("grace", flaw=flaw)
    assert emulated.browser().bring(token).status == 401


def test_a_signed_token_is_verified_even_with_the_emulator(emulated):
    firebase = emulated.simulator.firebase
    assert emulated.browser().bring(firebase.mint("grace")).status == 200
    for flaw in ("alg_none_signed_by_nobody", "other_key_same_kid", "hs256_with_public_key"):
        assert emulated.browser().bring(firebase.mint("grace", flaw=flaw)).status == 401
    assert emulated.browser().bring(firebase.mint_unsigned("grace")[:-1]).status == 401


def test_google_tokens_must_be_signed_even_with_the_emulator(emulated):
    google = emulated.simulator.google
    assert emulated.browser().bring(google.native_token("grace", flaw="alg_none")).status == 401


def test_every_page_and_the_log_mention_the_emulator(emulated, site, capfd):
    browser = emulated.browser()
    for path in ("/login", "/nowhere", "/login/google/authorized"):
        assert "Anybody can sign in as anybody." in browser.get(path).text
    assert "Anybody can sign in" not in site.browser().get("/login").text
    capfd.readouterr()
    emulated.restart()
    assert "firebase_emulator" in capfd.readouterr().err
    site.restart()
    assert "firebase_emulator" not in capfd.readouterr().err


def test_with_the_emulator_the_server_answers_this_machine_only(emulated):
    token = emulated.simulator.firebase.mint_unsigned("grace")
    headers = {"Content-Type": "application/jwt", "Host": "192.168.1.5:5000"}
    url = f"{emulated.url}/auth/sign-in"
    answer = requests.post(url, data=token, headers=headers, timeout=5)
    assert answer.status_code == 403
    assert "this machine only" in answer.text


@pytest.mark.parametrize(
    "host",
    [
        *("0.0.0.0:9099", "10.0.2.2:9099", "firebase.example:9099", "localhost", "127.0.0.1"),
        *("http://127.0.0.1:9099", "127.0.0.1:9099/x", "a@127.0.0.1:9099", "127.0.0.1:port"),
        *("127.0.0.1.nip.io:9099", "127.0.0.1:99999", "127.0.0.1:0", "::1:9099"),
    ],
)
def test_the_emulator_must_be_on_this_machine(host):
    (fault,) = faults(FIREBASE_PROJECT_ID="demo-project", FIREBASE_AUTH_EMULATOR_HOST=host)
    assert fault.startswith("FIREBASE_AUTH_EMULATOR_HOST: ")


def test_a_public_server_never_trusts_the_emulator():
    emulator = {"FIREBASE_PROJECT_ID": "demo-project", "FIREBASE_AUTH_EMULATOR_HOST": HOST}
    (fault,) = faults(**LIVE, **emulator)
    assert fault.startswith("FIREBASE_AUTH_EMULATOR_HOST: ")
    assert load(**emulator).firebase_auth_emulator_host == HOST


def test_firebase_settings_need_a_project():
    found = faults(
        FIREBASE_JWKS_URL="https://keys.example/", FIREBASE_AUTH_EMULATOR_HOST="[::1]:9099"
    )
    named = {fault.partition(":")[0] for fault in found}
    assert named == {"FIREBASE_JWKS_URL", "FIREBASE_AUTH_EMULATOR_HOST"}
    with pytest.raises(SettingsError):
        load(FIREBASE_PROJECT_ID="a/../b")
    assert faults(FIREBASE_PROJECT_ID="p", FIREBASE_JWKS_URL="http://keys.example/")
