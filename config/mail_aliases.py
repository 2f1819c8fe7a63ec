"""Settings of mail by the names that other software has for them.

Flask-Mail has MAIL_SERVER and its like, many servers SMTP_HOST and its like; each family makes one
MAIL_URL and one MAIL_FROM. Two that differ are a fault.
"""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from config.mail_url import read_mail_url
from config.variables import Variables, read_secret

SECRET_MAIL_ALIASES = ("MAIL_PASSWORD", "SMTP_PASSWORD", "SMTP_URL")
SENDERS = ("MAIL_DEFAULT_SENDER", "SMTP_FROM")
MAIL_ALIASES = (
    *("MAIL_SERVER", "MAIL_PORT", "MAIL_USE_TLS", "MAIL_USE_SSL", "MAIL_USERNAME"),
    *("SMTP_HOST", "SMTP_PORT", "SMTP_USER", "SMTP_TLS"),
    *SENDERS,
    *SECRET_MAIL_ALIASES,
)
TRUE = ("1", "true", "yes", "on")
# The values of SMTP_TLS.
SCHEME_OF = {"none": "smtp", "starttls": "smtp+starttls", "tls": "smtps"}


def read_mail_aliases(variables: Variables, values: dict[str, Any], faults: list[str]) -> None:
    """Add what the aliases say to the values of MAIL_URL and MAIL_FROM."""
    for name, url in _urls(variables, faults):
        try:
            read_mail_url(url)
        except ValueError as error:
            faults.append(f"{name}: {error}")
            continue
        if _differ(values.setdefault("mail_url", url), url):
            faults.append(f"MAIL_URL: contradicts its alias {name}")
    for name in SENDERS:
        sender = variables.get(name)
        if sender and values.setdefault("mail_from", sender) != sender:
            faults.append(f"MAIL_FROM: contradicts its alias {name}")


def _differ(written: str, valid: str) -> bool:
    try:
        return read_mail_url(written) != read_mail_url(valid)
    except ValueError:  # the check of the field names this fault
        return False


def _urls(variables: Variables, faults: list[str]) -> Iterator[tuple[str, str]]:
    """Yield the URL of each family that names a server, by the variable that names it."""
    if url := read_secret(variables, "SMTP_URL", faults):
        yield "SMTP_URL", url
    if host := variables.get("MAIL_SERVER"):
        uses = [name for name in ("SSL", "TLS") if _is_true(variables, f"MAIL_USE_{name}")]
        scheme = {"SSL": "smtps", "TLS": "smtp+starttls"}[uses[0]] if uses else "smtp"
        names = ("MAIL_PORT", "MAIL_USERNAME", "MAIL_PASSWORD")
        yield "MAIL_SERVER", _compose(scheme, host, names, variables, faults)
    if host := variables.get("SMTP_HOST"):
        scheme = _smtp_scheme(variables.get("SMTP_TLS", "").lower(), variables.get("SMTP_PORT"))
        names = ("SMTP_PORT", "SMTP_USER", "SMTP_PASSWORD")
        yield "SMTP_HOST", _compose(scheme, host, names, variables, faults)


def _is_true(variables: Variables, name: str) -> bool:
    return variables.get(name, "").lower() in TRUE


def _smtp_scheme(tls: str, port: str | None) -> str:
    """Return the scheme of SMTP_TLS; of ``true`` or none, by the port."""
    if port == "465" and tls not in SCHEME_OF:
        return "smtps"
    return SCHEME_OF.get(tls, "smtp+starttls" if tls in TRUE else "smtp")


def _compose(
    scheme: str, host: str, names: tuple[str, str, str], variables: Variables, faults: list[str]
) -> str:
    """Compose an address. ``names``: the variables of port, user and password."""
    port, user = variables.get(names[0]), variables.get(names[1])
    password = read_secret(variables, names[2], faults) or ""
    sign_in = f"{quote(user, safe='')}:{quote(password, safe='')}@" if user else ""
    bracketed = f"[{host}]" if ":" in host else host
    return f"{scheme}://{sign_in}{bracketed}{f':{port}' if port else ''}"
