"""The vectors of each dialect's signature, and what one changed byte makes of them.

They were computed with the providers' own descriptions, so they hold without our code.
"""

import pytest

from inbox.dialects import naver
from inbox.dialects.zoom import validation
from inbox.notices import NoticeRefused
from inbox.signatures import is_hmac
from keys.ed25519 import is_signed

STAMP = "1764208800"
HMACS = {
    "slack": (
        "slack-signing-secret",
        f'v0:{STAMP}:{{"type":"event_callback"}}',
        "eb46b91b7d62a2149e46e97e9661c1c97be94a0f38fa074fb0aca003e4d25d5b",
    ),
    "zoom": (
        "zoom-secret-token",
        f'v0:{STAMP}:{{"event":"app_deauthorized"}}',
        "94111065fc0c81c4422096f82498de26e39115b82a882ff9437f71d32d28d31f",
    ),
    "twitch": (
        "twitch-secret",
        'msg-12026-11-27T02:00:00.123456789Z{"a":1}',
        "9287d0087378664d6792b19abd068db29e8c93e9a5a0ea576acec19015bc1206",
    ),
}


@pytest.mark.parametrize("name", HMACS)
def test_an_hmac_holds_for_exactly_its_message_and_secret(name):
    secret, message, digest = HMACS[name]
    assert is_hmac(secret, message.encode(), digest)
    assert not is_hmac(secret, message.encode() + b" ", digest)
    assert not is_hmac(secret, message.replace("2", "3", 1).encode(), digest)
    assert not is_hmac(secret[:-1], message.encode(), digest)
    assert not is_hmac(secret, message.encode(), digest[:-1] + "0")
    assert not is_hmac(secret, message.encode(), "")


def test_zoom_is_shown_that_we_know_the_secret():
    document = {"payload": {"plainToken": "plain123"}}
    assert validation("zoom-secret-token", document) == {
        "plainToken": "plain123",
        "encryptedToken": "44f6146cadb4c12085712f002631eefdf4fb2f410e25eb9a419e6c4ecc4e3425",
    }


@pytest.mark.parametrize("plain", ["", "v0:1764208800:{}", "a" * 65, "ä", None, 1.5, {"a": 1}])
def test_zoom_gets_no_signature_of_another_text(plain):
    with pytest.raises(NoticeRefused):
        validation("zoom-secret-token", {"payload": {"plainToken": plain}})


def test_discords_vector():
    public = "3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29"
    signature = (
        "e7321bf84220940d969e85e7fa6f9cdef1a7609ef330c3c8ef4678c40cd8cbfa"
        "427d2266a7ec76a8facf4be10070dd8b862ba30ca81661f6334b4712ba03ce0b"
    )
    body = '{"version":1,"application_id":"1","type":0}'
    assert is_signed(public, f"{STAMP}{body}".encode(), signature)
    assert not is_signed(public, f"{STAMP}{body} ".encode(), signature)
    assert not is_signed(public, f"1764208801{body}".encode(), signature)
    assert not is_signed(public, f"{STAMP}{body}".encode(), signature[:-1] + "c")
    assert not is_signed(public.replace("3b", "3c"), f"{STAMP}{body}".encode(), signature)
    for other in ("", "zz", signature[:-2]):
        assert not is_signed(public, f"{STAMP}{body}".encode(), other)


def test_navers_vector():
    key = naver.key_of("naver-secret")
    encrypted = "AAECAwQFBgcICQoLDA0OD77QsJ3UzXy-zbyXtlzdD7dciq_fV7_58zHeS2qiw5ds"
    made = naver.signature(key, "cid", encrypted, "1755450000")
    assert made == "dELTUvKHwK1wGp9swSOWTsb1XnL7ZV59gfYFrV_xuJM"
    assert naver.decrypt(key, encrypted) == "AbCdEf0123456789_uniqueId"
    for other in ("", "AAAA", "é", encrypted[:-4], encrypted[:-1] + "!"):
        with pytest.raises(NoticeRefused):
            naver.decrypt(key, other)
