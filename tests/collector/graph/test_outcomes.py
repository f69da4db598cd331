import itertools

import numpy as np
import pytest

from weft_collector.graph.histogram import BUCKETS
from weft_collector.graph.outcomes import (
    BUCKET_BITS,
    CLASSES,
    FAILED_FROM,
    MEASURE_BUCKET,
    OUTCOMES,
    of_call,
    of_error,
    of_rpc_code,
)
from weft_collector.kernel import kernel


@kernel
def every(found):
    """The class of the call for each pair of classes, as kernels find it."""
    for server in range(found.shape[0]):
        for client in range(found.shape[1]):
            found[server, client] = of_call(server, client)


def test_a_calls_class_is_the_callees_failure_then_the_callers_then_whatever_is_not_ok():
    found = np.zeros((CLASSES, CLASSES), np.int64)
    every(found)
    for server, client in itertools.product(range(CLASSES), repeat=2):
        failures = [side for side in (server, client) if side >= FAILED_FROM]
        other = [side for side in (server, client) if side]
        assert found[server, client] == next(iter([*failures, *other, 0]))


def test_failures_stand_behind_all_others():
    assert OUTCOMES[:2] == ("ok", "4xx")
    assert OUTCOMES[FAILED_FROM] == "5xx"
    assert {"UNKNOWN", "UNAVAILABLE", "timeout", "refused", "exception"} < set(OUTCOMES[FAILED_FROM:])
    assert {"NOT_FOUND", "CANCELLED", "UNAUTHENTICATED"} < set(OUTCOMES[:FAILED_FROM])
    assert len(set(OUTCOMES)) == CLASSES == 22


def test_a_measure_holds_any_bucket_and_class_and_is_no_negative_number():
    largest = (CLASSES - 1) << BUCKET_BITS | BUCKETS - 1
    assert largest <= np.iinfo(np.int16).max
    assert (largest & MEASURE_BUCKET, largest >> BUCKET_BITS) == (BUCKETS - 1, CLASSES - 1)


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("NOT_FOUND", "NOT_FOUND"),
        ("internal", "INTERNAL"),
        *((text, "ok") for text in ("OK", "", "404", "7", "timeout", "\u0130NTERNAL", "UNAVA\u0131LABLE")),
    ],
)
def test_rpc_codes_by_name(text, outcome):
    assert OUTCOMES[of_rpc_code(text)] == outcome


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("requests.exceptions.ConnectTimeout", "timeout"),
        ("TIMED_OUT", "timeout"),
        ("DEADLINE_EXCEEDED", "timeout"),
        ("ECONNREFUSED", "refused"),
        ("ConnectionRefusedError", "refused"),
        ("refused after a timeout", "timeout"),
        ("KeyError", "exception"),
        ("", "exception"),
    ],
)
def test_other_errors_by_their_letters(text, outcome):
    assert OUTCOMES[of_error(text)] == outcome
