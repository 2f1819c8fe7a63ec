"""The secret key of a server with the embedded database."""

import os
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path

from pydantic import SecretStr


def embedded_secret_key(instance_path: str) -> SecretStr:
    """Read the key from ``instance/secret_key``, which is made on the first start (mode 0600)."""
    folder = Path(instance_path)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / "secret_key"
    if not path.exists():
        # A finished file is linked into place: of several workers that start concurrently one
        # wins, and none reads half a key.
        handle, temporary = tempfile.mkstemp(dir=folder)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(48))
        with suppress(FileExistsError):
            os.link(temporary, path)
        Path(temporary).unlink()
    return SecretStr(path.read_text(encoding="ascii"))
