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
    """``answers`` by what ``get`` is asked for, and the profile that is ``expected``; what the
    provider may vouch for the address by, if not by true; ``variants`` of the answers, each
    with what it changes in the profile, or ``refused``; ``subject_parts`` where the subject is
    made of several values. " > " leads to a place."""
    content = json.loads((SAMPLES / f"{name}.json").read_text(encoding="utf-8"))
    return {"vouched_by": [True, "true"], "variants": [], **content}


def getter(answers: dict[str, Any]) -> Get:
    """``get`` for these answers; the rest is not shared."""

    def get(url: str) -> Any:
        if url not in answers:
            raise NotShared(url)
        return answers[url]

    return get
