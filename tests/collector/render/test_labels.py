import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from weft_collector.render.labels import (
    LONGEST_TITLE,
    clean,
    milliseconds_text,
    rate_text,
    share_text,
    shorten,
    text_width,
)

ANYTHING = st.text(st.characters())


@given(ANYTHING)
@settings(deadline=None)
def test_a_clean_name_can_be_written_and_shown(name):
    shown = clean(name)
    shown.encode()
    assert 0 < len(shown) <= LONGEST_TITLE
    assert not [c for c in shown if unicodedata.category(c) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}]


def test_ordinary_names_stay_as_they_are():
    assert clean("recommendation-service") == "recommendation-service"
    assert clean("\u05e9\u05dc\u05d5\u05dd \u6771\u4eac") == "\u05e9\u05dc\u05d5\u05dd \u6771\u4eac"


def test_overrides_of_the_reading_direction_are_taken_out():
    assert clean("\u202egnorw\u202c") == "gnorw"


def test_a_name_of_nothing_visible_is_a_question_mark():
    assert clean("\x00\u200b ") == "?"


@given(ANYTHING, st.integers(40, 300))
@settings(deadline=None)
def test_a_shortened_text_fits(text, room):
    short = shorten(clean(text), 12.0, room)
    assert text_width(short, 12.0) <= room
    assert short == clean(text) or short.endswith("\u2026")


def test_names_of_24_characters_fit_into_a_box():
    assert shorten("recommendation-service-x", 12.0, 184.0) == "recommendation-service-x"


def test_a_long_name_keeps_its_beginning():
    short = shorten("a-very-long-name-that-no-box-can-hold-at-all", 12.0, 184.0)
    assert short.startswith("a-very-long-name")
    assert short.endswith("\u2026")


@pytest.mark.parametrize(
    ("rate", "text"),
    [
        (12345.6, "12,346/s"),
        (100, "100/s"),
        (12.34, "12.3/s"),
        (1, "1/s"),
        (0.5, "30/min"),
        (0.011, "0.66/min"),
        (0, "0/min"),
    ],
)
def test_rates(rate, text):
    assert rate_text(rate) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0, "0 %"),
        (0.00001, "<0.01 %"),
        (0.0012, "0.12 %"),
        (0.034, "3.4 %"),
        (0.5, "50 %"),
        (0.996, "99.6 %"),
        (0.9999, ">99.9 %"),
        (1, "100 %"),
    ],
)
def test_shares(share, text):
    assert share_text(share) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.25, "0.25 ms"),
        (12.34, "12.3 ms"),
        (99.96, "100 ms"),
        (340.4, "340 ms"),
        (1250, "1.25 s"),
        (123456, "123 s"),
        (0, "0 ms"),
    ],
)
def test_durations(value, text):
    assert milliseconds_text(value) == text
