"""Whether a text from a provider shows anything at all."""

import unicodedata

# Letters and symbols that are blank: fillers, BRAILLE PATTERN BLANK, MUSICAL SYMBOL NULL NOTEHEAD.
_BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0\U0001d159")


def has_visible_character(text: str) -> bool:
    """Find a letter, digit, mark of punctuation or symbol. Blanks, controls, format characters and
    combining marks alone show nothing."""
    return any(unicodedata.category(each)[0] in "LNPS" and each not in _BLANK for each in text)
