"""The words of pages and commands that the docs quote are the words that visitors read."""

import re

import pytest

from config import ROOT
from tests.house.test_links import documents, headings

PAGES = [name for name in documents() if name.startswith(("docs/operate", "docs/understand"))]
PAGES += [name for name in documents() if name.startswith(("docs/integrate", "docs/start"))]
SOURCES = ("templates/**/*.html", "web/**/*.py", "views/**/*.py", "commands/*.py", "accounts/*.py")
QUOTED = re.compile(r'"([A-Z…][^"\n`]{6,90})"')
# Names of providers and of a site stand for any other.
NAMES = re.compile(r"…|\b(?:Google|GitHub|X|Acme ID)\b")


def plain(text: str) -> str:
    """Join texts that are written in pieces, and collapse white space."""
    joined = re.sub(r'"\s*\n\s*f?"', "", text).replace("&#39;", "'")
    return re.sub(r"\s+", " ", joined)


WORDS = plain(
    "\n".join(
        path.read_text(encoding="utf-8") for pattern in SOURCES for path in ROOT.glob(pattern)
    )
)


def quoted_in(page: str) -> list[str]:
    text = (ROOT / page).read_text(encoding="utf-8")
    return QUOTED.findall(re.sub(r"```.*?```", "", text, flags=re.DOTALL))


def is_a_heading(quote: str, page: str) -> bool:
    return quote.lower().replace(" ", "-") in headings(ROOT / page)


@pytest.mark.parametrize("page", PAGES)
def test_every_text_that_a_page_quotes_can_be_read_somewhere(page):
    for quote in quoted_in(page):
        parts = [part.strip(" .,?") for part in NAMES.split(plain(quote))]
        said = all(part in WORDS for part in parts)
        assert said or is_a_heading(quote, page), f"nobody reads {quote!r}"


def test_the_docs_quote_something():
    assert sum(len(quoted_in(page)) for page in PAGES) > 10
