"""Reading JSON bodies: msgspec's structs, the rules of proto3 JSON for single values, and errors with a path.

Structs are declared with `gc=False`: what a decoder has just built holds no cycles, and Python's cyclic
collector, started again and again by so many new objects, would cost more than the parsing.

msgspec passes over what no struct asks for without looking into its texts, so UTF-8 is checked for the body as a
whole: no part of it decides alone whether the body is taken.
"""

import re
from binascii import a2b_base64, unhexlify
from codecs import getincrementaldecoder
from collections.abc import Callable
from math import inf, nan
from typing import Final, TypeVar

import msgspec

from weft_collector.errors import MalformedBody

__all__ = [
    "LATEST_US",
    "SPAN_DIGITS",
    "TRACE_DIGITS",
    "Number",
    "Truth",
    "WrongValue",
    "base64",
    "floating",
    "hex_id",
    "inside",
    "microseconds",
    "padded_id",
    "plain_text",
    "read",
    "read_part",
    "stepped",
    "whole",
]

T = TypeVar("T")
R = TypeVar("R")

Number = int | float | str | None
"""A number as proto3 JSON may write it; None where it is absent."""
Truth = bool | None

UINT32, UINT64 = 2**32 - 1, 2**64 - 1
LATEST_US: Final = UINT64 // 1000
"""The latest time in microseconds that OTLP has a place for."""
TRACE_DIGITS, SPAN_DIGITS = 32, 16
_STEP: Final = 1 << 20  # bytes of UTF-8 checked at once
_LONGEST_WHOLE: Final = 20  # digits, and a sign
_AT_BYTE: Final = re.compile(r" \(byte (\d+)\)$")
_AT_PATH: Final = re.compile(r"^(.*) - at `(?:key in )?\$(.*)`$", re.DOTALL)
_WHOLE: Final = re.compile(r"-?[0-9]+", re.ASCII)
_FLOATING: Final = re.compile(r"-?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?", re.ASCII)
_BASE64: Final = re.compile(r"[A-Za-z0-9+/]*={0,2}", re.ASCII)
_URL_SAFE: Final = str.maketrans("-_", "+/")
_WORDS: Final = {"NaN": nan, "Infinity": inf, "-Infinity": -inf}


class WrongValue(Exception):  # noqa: N818 - it is on its way to become a MalformedBody
    """A value that the format does not allow; whoever lets it pass adds where it stood.

    Attributes:
        path: Steps from the place where it was caught last to the value.
    """

    def __init__(self, text: str, path: str = "") -> None:
        super().__init__(text)
        self.path = path

    def at(self, step: str) -> "WrongValue":
        """The same, one level further up."""
        self.path = step + self.path
        return self


def read(decoder: msgspec.json.Decoder[T], body: bytes, what: str) -> T:
    """Decode a body.

    Args:
        decoder: For the type that the body should have.
        body: The body.
        what: What it should be, for the message, such as `OTLP JSON`.

    Raises:
        MalformedBody: It is not.
    """
    try:
        _check_utf8(body)
        return decoder.decode(body)
    except RecursionError:
        raise MalformedBody(f"No {what}: it is nested too deeply.") from None
    except UnicodeDecodeError as error:
        raise MalformedBody(f"No {what}: it is not UTF-8 ({error.reason}).", error.start) from None
    except msgspec.DecodeError as error:
        raise _malformed(what, str(error)) from None


def read_part(decoder: msgspec.json.Decoder[T], part: bytes) -> T:
    """Decode a part of a body that `read` left as it was.

    Raises:
        WrongValue: It has another type.
    """
    try:
        return decoder.decode(part)
    except RecursionError:
        raise WrongValue("it is nested too deeply") from None
    except msgspec.DecodeError as error:
        found = _AT_PATH.match(str(error))
        raise WrongValue(*((_begun(found[1]), found[2]) if found else (_begun(str(error)),))) from None


def inside(what: str, error: WrongValue) -> MalformedBody:
    """The refusal of a body with a wrong value in it."""
    return MalformedBody(f"No {what}: {error}, at ${error.path}.")


def _malformed(what: str, text: str) -> MalformedBody:
    at = _AT_BYTE.search(text)
    path = _AT_PATH.match(text)
    if path:
        return MalformedBody(f"No {what}: {_begun(path[1])}, at ${path[2]}.")
    return MalformedBody(f"No {what}: {_begun(text)}.", int(at[1]) if at else None)


def _begun(text: str) -> str:
    """A sentence of msgspec as the rest of one of ours."""
    return text if text[:2].isupper() else text[:1].lower() + text[1:]


def _check_utf8(body: bytes) -> None:
    if body.isascii():
        return
    decoder = getincrementaldecoder("utf-8")()
    for at in range(0, len(body), _STEP):
        try:
            decoder.decode(body[at : at + _STEP], final=at + _STEP >= len(body))
        except UnicodeDecodeError as error:
            raise UnicodeDecodeError("utf-8", b"", at + error.start, at + error.end, error.reason) from None


def whole(value: Number, least: int = 0, most: int = UINT64) -> int:
    """A whole number out of a number, or a text of digits; 0 where it is absent.

    Raises:
        WrongValue: It is none, or out of range.
    """
    if value is None:
        return 0
    number = value if type(value) is int else _whole(value)
    if not least <= number <= most:
        raise WrongValue(f"{str(value)[:40]} is out of range, {least} to {most}")
    return number


def _whole(value: float | str) -> int:
    if isinstance(value, str):
        if len(value) <= _LONGEST_WHOLE and _WHOLE.fullmatch(value):
            return int(value)
    elif value == value // 1 and abs(value) < 2.0**64:
        return int(value)
    raise WrongValue(f"{str(value)[:40]!r} is no whole number of 64 bits")


def floating(value: float | str) -> float:
    """A floating-point number out of a number, a text of one, NaN or Infinity.

    Raises:
        WrongValue: It is none.
    """
    if not isinstance(value, str):
        try:
            return float(value)
        except OverflowError:
            raise WrongValue("the number is out of range") from None
    if value in _WORDS:
        return _WORDS[value]
    if len(value) > 1024 or not _FLOATING.fullmatch(value):
        raise WrongValue(f"{value[:40]!r} is no number")
    return float(value)


def hex_id(text: str) -> bytes:
    """An id in hexadecimal digits of either case.

    Raises:
        WrongValue: There are other characters in it, or a digit is left over.
    """
    try:
        return unhexlify(text)
    except ValueError:
        raise WrongValue(f"{text[:40]!r} is no id in hexadecimal digits") from None


def padded_id(text: str | None, digits: int, step: str) -> bytes:
    """An id that may be written without its leading zeros.

    Raises:
        WrongValue: It is missing, or none; at `step`.
    """
    if not text:
        raise WrongValue("an id is missing", step)
    if len(text) > digits:
        raise WrongValue(f"{text[:40]!r} has more than {digits} digits", step)
    return stepped(step, hex_id, text.zfill(digits))


def microseconds(value: Number, step: str) -> int:
    """A time or duration in microseconds; 0 where it is absent.

    Raises:
        WrongValue: It is none, or out of range; at `step`.
    """
    return stepped(step, _time, value)


def _time(value: Number) -> int:
    return whole(value, 0, LATEST_US)


def plain_text(value: object) -> str:
    """A value as the text that JSON would show; empty where it is absent."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def stepped(step: str, write: Callable[[T], R], value: T) -> R:
    """What `write` makes of a value; a wrong one stands at `step`."""
    try:
        return write(value)
    except WrongValue as error:
        raise error.at(step) from None


def base64(text: str) -> bytes:
    """Bytes in base64, with either alphabet, padded or not.

    Raises:
        WrongValue: It is not base64.
    """
    plain = text.translate(_URL_SAFE)
    digits = plain.rstrip("=")
    if not _BASE64.fullmatch(plain) or len(digits) % 4 == 1:
        raise WrongValue(f"{text[:40]!r} is not base64")
    return a2b_base64(digits + "=" * (-len(digits) % 4))
