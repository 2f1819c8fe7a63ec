"""The operator's branding: colours, with their contrast, and images, read once at the start."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

MAX_IMAGE_BYTES = 256 * 1024
SUFFIXES = (".svg", ".png", ".webp", ".jpg", ".jpeg")
# WCAG 2.2: 1.4.3 for text, 1.4.11 for the edge of a button.
TEXT_CONTRAST, EDGE_CONTRAST = 4.5, 3.0
COLOUR = re.compile(r"#[0-9a-f]{6}")


class Theme(NamedTuple):
    """Grounds of static/app.css that an accent must stand out from, and what it is moved to."""

    name: str
    grounds: tuple[str, ...]
    towards: str


THEMES = (
    Theme("light", ("#ffffff", "#f6f7f9"), "#000000"),
    Theme("dark", ("#171b21", "#0f1216"), "#ffffff"),
)
TEXTS = ("#ffffff", "#0b1220", "#000000")


@dataclass(frozen=True)
class Image:
    """The content of an image file, and its media type."""

    data: bytes
    media_type: str

    @property
    def fingerprint(self) -> str:
        return sha256(self.data).hexdigest()[:10]


# Colours.


def luminance(colour: str) -> float:
    """Return the relative luminance of ``#rrggbb`` (WCAG 2.2)."""
    shares = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours, from 1 to 21."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def text_on(accent: str) -> str:
    """Return the colour of text that can be read on an accent."""
    return next(text for text in TEXTS if contrast(text, accent) >= TEXT_CONTRAST)


def accents(value: str) -> tuple[str, str]:
    """Return the accent of the light and of the dark theme."""
    light, _, dark = value.partition(",")
    return light, dark or light


def check_accent(value: str) -> str:
    """Accept one colour that stands out in both themes, or one for each, as ``light,dark``."""
    value = value.lower().replace(" ", "")
    parts = value.split(",")
    if len(parts) > 2 or not all(COLOUR.fullmatch(part) for part in parts):
        raise ValueError("must be a colour such as #2f5bd7, or two: light theme, dark theme")
    chosen = accents(value)
    fitting = [fit(accent, theme) for accent, theme in zip(chosen, THEMES, strict=True)]
    for accent, theme in zip(chosen, THEMES, strict=True):
        ratio = weakest(accent, theme)
        if ratio < EDGE_CONTRAST:
            raise ValueError(
                f"{accent} has a contrast of {ratio:.1f} to the {theme.name} theme, which needs "
                f"{EDGE_CONTRAST:.0f}; {','.join(fitting)} would do"
            )
    return value


def weakest(accent: str, theme: Theme) -> float:
    """Return the contrast to the ground of a theme that an accent stands out from least."""
    return min(contrast(accent, ground) for ground in theme.grounds)


def fit(accent: str, theme: Theme) -> str:
    """Return the accent, moved as far to black or white as its theme needs."""
    for step in range(101):
        mixed = mix(accent, theme.towards, step / 100)
        if weakest(mixed, theme) >= EDGE_CONTRAST:
            return mixed
    return theme.towards


def mix(one: str, other: str, share: float) -> str:
    """Return a colour between two."""
    pairs = [(int(one[at : at + 2], 16), int(other[at : at + 2], 16)) for at in (1, 3, 5)]
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


# Images.


def read_image(path: Path) -> Image:
    """Read an image file. Raises ValueError with a message that completes "NAME: …"."""
    try:
        if path.stat().st_size > MAX_IMAGE_BYTES:
            raise ValueError(f"{path.name} is larger than {MAX_IMAGE_BYTES // 1024} KiB")
        data = path.read_bytes()
    except OSError as error:
        raise ValueError(f"{path.name} cannot be read ({type(error).__name__})") from None
    media_type = media_type_of(data)
    if media_type is None:
        raise ValueError(f"{path.name} is no SVG, PNG, WebP or JPEG image")
    return Image(data, media_type)


def media_type_of(data: bytes) -> str | None:
    """Return the media type that the content has, whatever the name says."""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    start = data.removeprefix(b"\xef\xbb\xbf").lstrip()[:4096]
    is_text = b"\x00" not in data
    return "image/svg+xml" if is_text and start.startswith(b"<") and b"<svg" in start else None


def check_image(path: str) -> str:
    """Accept the path of an image file, and of its variant for the dark theme, if any."""
    for each in variants(Path(path)):
        read_image(each)
    return path


def variants(path: Path) -> list[Path]:
    """Return a file and, if there is one, the file for the dark theme: ``logo.dark.svg``."""
    dark = [path.with_name(f"{path.stem}.dark{suffix}") for suffix in SUFFIXES]
    return [path, *(each for each in dark if each.is_file())][:2]


def check_assets(folder: str) -> str:
    """Accept a folder whose images can all be read."""
    if not Path(folder).is_dir():
        raise ValueError("must be a folder")
    for path in images_in(Path(folder)):
        read_image(path)
    return folder


def images_in(folder: Path) -> list[Path]:
    """Return the images of a folder: ``google.svg``, ``google.dark.svg`` …"""
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)


def stray_images(folder: str | None, providers: Iterable[str]) -> list[str]:
    """Describe the images of the folder that no provider has the name of."""
    if folder is None or not Path(folder).is_dir():
        return []
    known = set(providers)
    strays = [path for path in images_in(Path(folder)) if path.name.split(".")[0] not in known]
    return [f"BRAND_ASSETS_DIR: {path.name} has the name of no provider" for path in strays]


def read_images(logo: str | None, icon: str | None, folder: str | None) -> dict[str, Image]:
    """Read all images, by name: ``own-logo``, ``own-logo.dark``, ``google``, ``google.dark`` …"""
    found: dict[str, Image] = {}
    for name, value in (("logo", logo), ("icon", icon)):
        if value:
            keys = (f"own-{name}", f"own-{name}.dark")
            found |= dict(zip(keys, map(read_image, variants(Path(value))), strict=False))
    for path in images_in(Path(folder)) if folder else []:
        found[path.name.removesuffix(path.suffix)] = read_image(path)
    return found
