"""The checks of this server: database, disk, keys, cookies, unsafe modes."""

import shutil
import stat
from pathlib import Path

from flask import current_app

from commands.check_issuer import check_signing_keys
from commands.console import site
from config.settings import SECRET_KEY_MIN_CHARACTERS
from notices import mails
from notices.smtp import Connection, Failed
from storage import db, schema
from web.checks.findings import Finding, Level, server_finding

FREE_WARN_BYTES = 1024**3
FREE_FAIL_BYTES = 64 * 1024**2
# Filesystems on which SQLite's locks and shared memory do not work reliably.
# https://sqlite.org/wal.html
NETWORK_FILESYSTEMS = frozenset(
    {
        *("9p", "afs", "beegfs", "ceph", "cifs", "fuse.glusterfs", "fuse.s3fs", "fuse.sshfs"),
        *("gfs2", "glusterfs", "lustre", "ncpfs", "nfs", "nfs4", "smb3", "smbfs", "virtiofs"),
    }
)
MOUNTS = Path("/proc/self/mountinfo")
KEY_MIN_DISTINCT = 12
# Words of example keys and placeholders.
TELLTALES = ("change", "replace", "secret", "password", "example", "123456", "test")


def check_server() -> list[Finding]:
    """Run all checks except that of the public URL, which needs the network (check_public.py)."""
    found = [
        check_database(),
        *check_sqlite_file(),
        check_secret_key(),
        *check_other_keys(),
        *check_signing_keys(),
        *check_cookie_name(),
        *check_proxies(),
        *check_names(),
        check_mail(),
    ]
    return [*found, *check_unsafe_modes()]


def check_database() -> Finding:
    """Check that the database is reachable and its schema up to date."""
    fault = schema.fault()
    kind = db.engine.dialect.name
    if fault:
        return server_finding("database", "Database", "fail", fault, engine=kind)
    message = f"{kind}, reachable, and its schema is up to date"
    return server_finding("database", "Database", "ok", message, engine=kind)


def check_sqlite_file() -> list[Finding]:
    """Check where SQLite's file is, and how much disk space is free."""
    name = db.engine.url.database
    if db.engine.dialect.name != "sqlite" or not name or not Path(name).exists():
        return []
    path = Path(name).resolve()
    kind = filesystem_of(path)
    if kind in NETWORK_FILESYSTEMS:
        place = server_finding(
            "sqlite",
            "SQLite",
            "warn",
            f"its file is on a network filesystem ({kind}), where its locks cannot be relied on; "
            "move it to a local disk, or use PostgreSQL",
            filesystem=kind,
        )
    else:
        message = "its file is on a local disk; any number of workers on this machine may use it"
        place = server_finding("sqlite", "SQLite", "ok", message, filesystem=kind)
    return [place, *check_file_mode(path), check_disk(path)]


def check_file_mode(path: Path) -> list[Finding]:
    """Check whether others on this machine can read the file, which has everybody's addresses."""
    is_open = path.stat().st_mode & 0o044
    if not (is_open and all(folder.stat().st_mode & 0o011 for folder in path.parents)):
        return []
    message = f"others on this machine can read {path}. Run: chmod 600 {path}*"
    return [server_finding("sqlite_mode", "SQLite", "warn", message)]


def check_disk(path: Path) -> Finding:
    """Check how much space is free next to the database."""
    free = shutil.disk_usage(path.parent).free
    words = f"{free / 1024**3:.1f} GiB free next to the database"
    if free < FREE_WARN_BYTES:
        level: Level = "fail" if free < FREE_FAIL_BYTES else "warn"
        words = (
            f"only {free // 1024**2} MiB free next to the database; make room: nobody can sign in "
        )
        words += "while it cannot be written"
        return server_finding("disk", "Disk", level, words, free_bytes=free)
    return server_finding("disk", "Disk", "ok", words, free_bytes=free)


def filesystem_of(path: Path) -> str | None:
    """Return the type of the filesystem that a file is on, by the longest mount point above it
    (proc(5)); None if unknown."""
    try:
        lines = MOUNTS.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    depth, kind = -1, None
    for line in lines:
        before, _, after = line.partition(" - ")
        point = Path(before.split(" ")[4].replace("\\040", " "))
        # The later of two mounts at one place is on top.
        if path.is_relative_to(point) and len(point.parts) >= depth:
            depth, kind = len(point.parts), after.split(" ")[0]
    return kind


def check_secret_key() -> Finding:
    """Check that SECRET_KEY cannot be guessed, or that its file is private."""
    if site().settings.secret_key is None:
        return check_key_file(Path(current_app.instance_path) / "secret_key")
    fault = find_weakness(str(current_app.config["SECRET_KEY"]))
    if fault:
        return server_finding("secret_key", "Secret key", "warn", f"SECRET_KEY {fault}. {ROTATE}")
    return server_finding("secret_key", "Secret key", "ok", "SECRET_KEY is long and random enough")


ROTATE = (
    "flask --app app keys generate prints a good one; "
    "docs/operate/commands.md says how to change it"
)


def check_key_file(path: Path) -> Finding:
    """Check the key file of a server with the embedded database."""
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        message = f"others can read {path} (mode {mode:o}). Run: chmod 600 {path}"
        return server_finding("secret_key", "Secret key", "warn", message)
    return server_finding(
        "secret_key", "Secret key", "ok", f"created by this server, stored in {path}"
    )


def check_other_keys() -> list[Finding]:
    """Check TOKEN_ENCRYPTION_KEYS and the fallbacks; report weak keys."""
    settings = site().settings
    weak = []
    for name in ("token_encryption_keys", "secret_key_fallbacks"):
        for number, key in enumerate(getattr(settings, name), 1):
            fault = find_weakness(key.get_secret_value())
            if fault:
                message = f"{name.upper()}, no. {number}, {fault}. {ROTATE}"
                weak.append(server_finding("other_keys", "Other keys", "warn", message))
    return weak


def find_weakness(key: str) -> str | None:
    """Return why a key could be guessed, as far as its appearance shows."""
    if len(key) < SECRET_KEY_MIN_CHARACTERS:
        return f"has fewer than {SECRET_KEY_MIN_CHARACTERS} characters"
    if len(set(key)) < KEY_MIN_DISTINCT:
        return "repeats a few characters"
    if any(word in key.lower() for word in TELLTALES):
        return "looks like an example"
    return None


def check_cookie_name() -> list[Finding]:
    """Check that neighbouring hosts cannot plant the session cookie."""
    settings = site().settings
    name = settings.browser_session_cookie
    if not settings.is_https:
        return []
    if name.startswith("__Host-"):
        message = f"{name} cannot be planted by a neighbouring host"
        return [server_finding("cookie_name", "Session cookie", "ok", message)]
    has_apps = site().firebase or any(c.mobile_client_ids for c in settings.registrations.values())
    if has_apps:
        message = f"named {name}, which apps may look for; __Host-session is better if none does"
        return [server_finding("cookie_name", "Session cookie", "ok", message)]
    message = (
        f"a neighbouring host can plant a cookie named {name}; remove SESSION_COOKIE_NAME, "
        "then browsers get __Host-session, and apps session"
    )
    return [server_finding("cookie_name", "Session cookie", "warn", message)]


def check_names() -> list[Finding]:
    """Name the variables that look like settings and have no effect."""
    return [
        server_finding("settings", "Settings", "warn", line) for line in site().settings.warnings
    ]


def check_mail() -> Finding:
    """Check that the mail server takes us, without sending anything."""
    server = mails.server()
    if server is None:
        message = "off: people are not told what happens to their accounts (MAIL_URL)"
        return server_finding("mail", "Mail", "ok", message)
    where = f"{server.url.host}:{server.url.port}"
    try:
        Connection(server).close()
    except Failed as error:
        message = f"{where} does not take us: {error}"
        return server_finding("mail", "Mail", "fail", message)
    return server_finding("mail", "Mail", "ok", f"{where} takes us as {server.sender}")


def check_proxies() -> list[Finding]:
    """Check that TRUSTED_PROXIES agrees with PUBLIC_URL."""
    settings = site().settings
    if settings.is_https and not settings.trusted_proxies:
        message = (
            "PUBLIC_URL is https and TRUSTED_PROXIES is 0: if a proxy terminates TLS, set "
            "how many are in front, or all visitors appear to have its address and share one limit"
        )
        return [server_finding("proxies", "Proxies", "warn", message)]
    if settings.trusted_proxies and settings.is_local:
        message = (
            f"TRUSTED_PROXIES is {settings.trusted_proxies} on a server for this machine: without "
            "a proxy in front, visitors choose their address; set it to 0"
        )
        return [server_finding("proxies", "Proxies", "warn", message)]
    message = f"{settings.trusted_proxies} in front, whose X-Forwarded-* is believed"
    return [server_finding("proxies", "Proxies", "ok", message)] if settings.trusted_proxies else []


def check_unsafe_modes() -> list[Finding]:
    """Report modes in which anybody can sign in as anybody. The settings allow them on this machine
    only."""
    level: Level = "warn" if site().settings.is_local else "fail"
    found = []
    if site().demo_url:
        message = "the people are invented; set DEMO=0 and a provider for real ones"
        found.append(server_finding("demo", "Demo mode", level, message))
    if site().trusts_anybody:
        message = "unsigned tokens are accepted; unset FIREBASE_AUTH_EMULATOR_HOST for real people"
        found.append(server_finding("emulator", "Firebase emulator", level, message))
    return found
