"""The one parser of the Cookie header, for Flask and for the session check before it.

It splits as browsers join (RFC 6265 4.2.1, 5.4): at every ``;``, whatever quotes say. A quote that
could hide a ``;`` would let a neighbouring host's cookie swallow or forge one of ours.
"""

_BLANKS = " \t"  # the only ones: browsers keep other white space as part of a name


def parse_cookie_header(header: str) -> list[tuple[str, str]]:
    """Return names and values in the order sent; quotes around a whole value are removed."""
    pairs = []
    for part in header.split(";"):
        name, equals, value = part.partition("=")
        name, value = name.strip(_BLANKS), value.strip(_BLANKS)
        if len(value) > 1 and value[0] == value[-1] == '"':
            value = value[1:-1]
        if name and equals:
            pairs.append((name, value))
    return pairs
