"""Variables as they are written: in the environment, in ``.env`` and in secret files."""

import os
from collections.abc import Mapping
from pathlib import Path

from dotenv import dotenv_values

Variables = Mapping[str, str]


def read_env_file(path: Path | None) -> Mapping[str, str | None]:
    """Read ``.env``; empty without one."""
    return dotenv_values(path) if path else {}


def read_variables(
    written: Mapping[str, str | None], environ: Mapping[str, str] | None
) -> Variables:
    """Merge the environment over ``written``; an empty value counts as unset."""
    merged = {**written, **(os.environ if environ is None else environ)}
    return {name: value.strip() for name, value in merged.items() if value and value.strip()}


def read_secret(variables: Variables, name: str, faults: list[str]) -> str | None:
    """Read the secret ``NAME``, or the content of the file that ``NAME_FILE`` names."""
    path = variables.get(f"{name}_FILE")
    if path is None:
        return variables.get(name)
    if name in variables:
        faults.append(f"{name}: set it or {name}_FILE, not both")
        return None
    try:
        text = Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        faults.append(f"{name}_FILE: cannot be read ({type(error).__name__})")
        return None
    if not text:
        faults.append(f"{name}_FILE: the file is empty")
    return text or None
