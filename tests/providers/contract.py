"""Every provider with its sample answers."""

import json
from pathlib import Path
from typing import Any

import pytest

from providers import PROVIDERS
from providers.base import Get, NotShared

ROOT = Path(__file__).parents[2]
SAMPLES = Path(__file__).parent / "samples"

every_provider = pytest.mark.parametrize("provider", PROVIDERS.values(), ids=PROVIDERS)


def read_sample(name: str) -> dict[str, Any]:
    """``answers`` by what ``get`` is asked for, and the ``expected`` profile; ``vouched_by``: the
    values that verify the address, if not true; ``variants`` of the answers, each with its change
    of the profile, or ``refused``; ``subject_parts`` where the subject consists of several values.
    " > " separates the steps of a path."""
    content = json.loads((SAMPLES / f"{name}.json").read_text(encoding="utf-8"))
    return {"vouched_by": [True, "true"], "variants": [], **content}


def getter(answers: dict[str, Any]) -> Get:
    """``get`` for these answers; everything else is not shared."""

    def get(url: str) -> Any:
        if url not in answers:
            raise NotShared(url)
        return answers[url]

    return get
