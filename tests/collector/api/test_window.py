from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weft_collector.api.window import LONGEST_MINUTES, parse
from weft_collector.errors import BadQuery
from weft_collector.graph.snapshot import MINUTE_NS, Window

NOW = int(datetime(2026, 11, 23, 10, 7, 30, tzinfo=UTC).timestamp())
NOW_NS = NOW * 1_000_000_000
MINUTE = NOW // 60


@pytest.mark.parametrize(
    ("text", "minutes"),
    [("15m", 15), ("1s", 1), ("60s", 1), ("61s", 2), ("2h", 120), ("1d", 1440), ("31d", LONGEST_MINUTES)],
)
def test_a_length_ends_with_the_minute_under_way(text, minutes):
    assert parse(text, None, None, NOW_NS) == Window(MINUTE + 1 - minutes, MINUTE + 1)


def test_nothing_given_means_15_minutes():
    assert parse(None, None, None, NOW_NS) == parse("15m", None, None, NOW_NS)


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2026-11-23T10:00:00Z", "2026-11-23T10:05:00Z"),
        ("2026-11-23T10:00:59.999Z", "2026-11-23T10:04:00.000001Z"),
        ("2026-11-23T12:00:00+02:00", "2026-11-23T10:05:00"),
        ("2026-11-23 10:00", "2026-11-23T10:05"),
    ],
)
def test_ends_are_widened_outward_to_minutes_and_are_utc_where_they_say_nothing(start, end):
    window = parse(None, start, end, NOW_NS)
    assert window.as_dict() == {
        "start": "2026-11-23T10:00:00Z",
        "end": "2026-11-23T10:05:00Z",
        "seconds": 300,
    }


def test_a_start_alone_means_until_now():
    assert parse(None, "2026-11-23T10:00:00Z", None, NOW_NS).end_minute == MINUTE + 1


@pytest.mark.parametrize(
    "text", ["", "15", "m", "-5m", "1.5h", "15 m", "15w", "0m", "32d", "9999999999s", "\u0661\u0665m", "1e3m"]
)
def test_a_length_that_cannot_be_read_or_is_too_long_is_refused(text):
    if text:
        with pytest.raises(BadQuery):
            parse(text, None, None, NOW_NS)
    else:
        assert parse(text, None, None, NOW_NS) == parse(None, None, None, NOW_NS)


@pytest.mark.parametrize(
    ("window", "start", "end"),
    [
        ("15m", "2026-11-23T10:00:00Z", None),
        (None, None, "2026-11-23T10:00:00Z"),
        (None, "2026-11-23T10:00:00Z", "2026-11-23T10:00:00Z"),
        (None, "2026-11-23T10:00:00Z", "2026-11-23T09:00:00Z"),
        (None, "yesterday", None),
        (None, "2020-01-01", "2026-01-01"),
        (None, "1960-01-01", "1960-01-02"),
        (None, "0001-01-01T00:00:00+14:00", None),
    ],
)
def test_contradictions_and_nonsense_are_refused(window, start, end):
    with pytest.raises(BadQuery):
        parse(window, start, end, NOW_NS)


@given(st.text(max_size=40), st.none() | st.text(max_size=40), st.none() | st.text(max_size=40))
def test_no_text_breaks_the_parser(window, start, end):
    try:
        made = parse(window or None, start, end, NOW_NS)
    except BadQuery:
        return
    assert 0 < made.end_minute - made.start_minute <= LONGEST_MINUTES


@given(st.integers(0, 2**40), st.integers(1, 86_400 * 30))
def test_a_window_holds_every_moment_that_was_asked_for(start, length):
    start %= NOW
    texts = [datetime.fromtimestamp(s, UTC).isoformat() for s in (start, start + length)]
    window = parse(None, *texts, NOW_NS)
    assert window.start_minute * MINUTE_NS <= start * 1_000_000_000
    assert window.end_minute * MINUTE_NS >= (start + length) * 1_000_000_000
    assert window.end_minute - window.start_minute <= length // 60 + 2
