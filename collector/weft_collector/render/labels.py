"""Texts of the picture: names made safe and short, numbers made readable.

Names come from outside. Whatever a writer cannot show, or what would turn its neighbours around (control
and format characters, bidirectional overrides, lone surrogates), is taken out here; escaping is the
writer's own job.
"""

import unicodedata

LONGEST_TITLE = 200
"""Characters of a name in a title; whoever wants more asks the API."""
ELLIPSIS = "\u2026"
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_NARROW = frozenset("iIjlrtf.,:;|!'`()[]{}/\\ -\u2026\u00b7")
_WIDE = frozenset("mwMW@%&")
_SECOND_MS, _WHOLE_MS = 1000.0, 100.0


def clean(name: str) -> str:
    """A name without the characters that cannot be drawn, at most `LONGEST_TITLE` long; never empty."""
    shown = "".join(c for c in name[: 4 * LONGEST_TITLE] if unicodedata.category(c) not in _INVISIBLE)
    return _cut(shown.strip(), LONGEST_TITLE) or "?"


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + ELLIPSIS


def _em(character: str) -> float:
    """A character's width in parts of the font size: an upper estimate over the usual sans-serif fonts."""
    if unicodedata.east_asian_width(character) in {"W", "F"}:
        return 1.05
    if character in _NARROW:
        return 0.42
    if character in _WIDE:
        return 1.0
    return 0.78 if character.isupper() else 0.66


def text_width(text: str, size: float) -> float:
    """About how wide a text is drawn at a font size, both in pixels."""
    return sum(map(_em, text)) * size


def shorten(text: str, size: float, room: float) -> str:
    """The text, or its beginning and an ellipsis, so that it fits into so many pixels."""
    if text_width(text, size) <= room:
        return text
    left = room - text_width(ELLIPSIS, size)
    for end, character in enumerate(text):
        left -= text_width(character, size)
        if left < 0:
            return text[:end].rstrip() + ELLIPSIS
    return text


def rate_text(per_second: float) -> str:
    """A rate with its unit: `1,240/s`, `12.5/s`, `3.21/s`, or `42/min` below one a second."""
    if per_second >= _WHOLE_MS:
        return f"{per_second:,.0f}/s"
    if per_second >= 1:
        return f"{per_second:.3g}/s"
    return f"{per_second * 60:.2g}/min"


def share_text(share: float) -> str:
    """A share of errors as a percentage: `0 %`, `0.12 %`, `34 %`.

    What is not zero never reads as zero, nor all but one as all.
    """
    if 0 < share < 0.0001:
        return "<0.01 %"
    if 0.999 < share < 1:
        return ">99.9 %"
    return f"{share * 100:.2g} %" if share < 0.1 else f"{share * 100:.3g} %"


def milliseconds_text(value: float) -> str:
    """A duration: `0.25 ms`, `12.3 ms`, `340 ms`, `1.25 s`."""
    if value >= _SECOND_MS:
        return f"{value / _SECOND_MS:.3g} s" if value < 100 * _SECOND_MS else f"{value / _SECOND_MS:,.0f} s"
    return f"{value:.0f} ms" if value >= _WHOLE_MS else f"{value:.3g} ms"
