"""The settings of mail: what they accept, their aliases, and their faults by name."""

import pytest

import config
from config import Settings
from config.mail_url import MailURL, read_mail_url
from errors import SettingsError
from providers import PROVIDERS

FROM = {"MAIL_FROM": "Acme <no-reply@acme.org>"}


def load(**variables: str) -> Settings:
    return config.load(PROVIDERS.values(), variables, None)


def faults(**variables: str) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        load(**variables)
    return tuple(caught.value.faults)


def server(**variables: str) -> MailURL:
    url = load(**FROM | variables).mail_url
    assert url
    return read_mail_url(url.get_secret_value())


@pytest.mark.parametrize(
    ("url", "security", "port"),
    [
        ("smtp://mail.acme.org", "none", 25),
        ("smtp://u:p@mail.acme.org:587", "starttls", 587),
        ("smtp+starttls://u:p@mail.acme.org", "starttls", 587),
        ("smtp+starttls://u:p@mail.acme.org:2525", "starttls", 2525),
        ("smtps://u:p@mail.acme.org", "tls", 465),
        ("smtp://u:p@127.0.0.1:1025", "none", 1025),
    ],
)
def test_the_scheme_says_what_protects_the_connection(url, security, port):
    found = server(MAIL_URL=url)
    assert (found.security, found.port) == (security, port)


def test_user_and_password_are_percent_encoded():
    found = server(MAIL_URL="smtps://ada%40acme.org:p%2Fw%25@mail.acme.org")
    assert (found.user, found.password) == ("ada@acme.org", "p/w%")
    assert "p/w%" not in repr(found)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("mail.acme.org", "must begin with"),
        ("https://mail.acme.org", "must begin with"),
        ("smtp://", "must begin with"),
        ("smtp://u:p@mail.acme.org", "in the clear"),
        ("smtp://mail.acme.org:465", "write smtps://"),
        ("smtp+starttls://mail.acme.org:99999", "no valid port"),
        ("smtps://u:p/w@mail.acme.org", "percent-encode"),
    ],
)
def test_a_faulty_address_is_a_fault_by_name_that_shows_no_password(url, words):
    (fault,) = faults(MAIL_URL=url, **FROM)
    assert fault.startswith("MAIL_URL: ")
    assert words in fault
    assert "u:p" not in fault


def test_a_server_without_sender_is_a_fault():
    assert faults(MAIL_URL="smtp://mail.acme.org")[0].startswith("MAIL_FROM: must be set")


@pytest.mark.parametrize(
    "sender",
    ["Acme", "a@acme.org, b@acme.org", "Acme <no-reply>", "x\r\nBcc: y@z.org", "ä@acme.org"],
)
def test_a_sender_is_one_address(sender):
    for name in ("MAIL_FROM", "MAIL_REPLY_TO"):
        variables = FROM | {"MAIL_URL": "smtp://mail.acme.org", name: sender}
        assert faults(**variables)[0].startswith(f"{name}: must be one address")


def test_a_file_of_certificates_is_read_at_the_start(tmp_path):
    (tmp_path / "ca.pem").write_text("nothing")
    for path in (tmp_path / "ca.pem", tmp_path / "missing.pem"):
        assert faults(MAIL_CA_FILE=str(path))[0].startswith("MAIL_CA_FILE: cannot be read")


@pytest.mark.parametrize(
    "variables",
    [
        {"SMTP_URL": "smtps://u:p%2F@mail.acme.org"},
        {
            "SMTP_HOST": "mail.acme.org",
            "SMTP_PORT": "465",
            "SMTP_USER": "u",
            "SMTP_PASSWORD": "p/",
            "SMTP_TLS": "tls",
        },
        {
            "MAIL_SERVER": "mail.acme.org",
            "MAIL_PORT": "465",
            "MAIL_USE_SSL": "True",
            "MAIL_USERNAME": "u",
            "MAIL_PASSWORD": "p/",
        },
    ],
)
def test_names_of_other_software_make_the_same_server(variables):
    expected = server(MAIL_URL="smtps://u:p%2F@mail.acme.org:465")
    assert server(**variables) == expected
    assert server(**variables, MAIL_URL="smtps://u:p%2F@mail.acme.org") == expected


def test_aliases_of_starttls_and_sender():
    flask = {"MAIL_SERVER": "h.acme.org", "MAIL_USE_TLS": "1", "MAIL_DEFAULT_SENDER": "a@acme.org"}
    assert load(**flask).mail_from == "a@acme.org"
    assert server(**flask, MAIL_FROM="").security == "starttls"
    assert load(SMTP_HOST="h.acme.org", SMTP_FROM="b@acme.org").mail_from == "b@acme.org"
    assert server(SMTP_HOST="h.acme.org", SMTP_PORT="587").security == "starttls"
    assert server(SMTP_HOST="h.acme.org", SMTP_TLS="true").security == "starttls"


def test_aliases_that_contradict_each_other_are_named():
    found = faults(
        MAIL_URL="smtp://one.acme.org",
        SMTP_HOST="two.acme.org",
        SMTP_FROM="other@acme.org",
        **FROM,
    )
    assert found == (
        "MAIL_URL: contradicts its alias SMTP_HOST",
        "MAIL_FROM: contradicts its alias SMTP_FROM",
    )


def test_an_alias_is_refused_by_its_own_name():
    found = faults(SMTP_HOST="mail.acme.org", SMTP_USER="u", SMTP_PASSWORD="p", **FROM)
    assert found[0].startswith("SMTP_HOST: has a password that would travel in the clear")


def test_without_a_server_mail_is_off():
    assert load().mail_url is None
    assert load(SMTP_PORT="25").mail_url is None
