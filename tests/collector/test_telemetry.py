import threading

import pytest

from weft_collector.telemetry import COUNTERS, Telemetry


def test_counters_add_up_by_name_and_reason():
    telemetry = Telemetry()
    telemetry.count("bodies_refused", "full")
    telemetry.count("bodies_refused", "full", 4)
    telemetry.count("bodies_refused", "malformed", 2)
    assert telemetry.value("bodies_refused", "full") == 5
    assert telemetry.value("bodies_refused") == 7
    assert telemetry.value("bodies_refused", "never") == 0


def test_the_snapshot_shows_every_declared_name_and_is_a_copy():
    telemetry = Telemetry()
    telemetry.count("groups_committed")
    snapshot = telemetry.snapshot()
    assert set(snapshot) == set(COUNTERS)
    assert snapshot["groups_committed"] == {"": 1}
    snapshot["groups_committed"][""] = 99
    assert telemetry.value("groups_committed") == 1


def test_nothing_counted_shows_no_reason():
    telemetry = Telemetry()
    telemetry.count("spans_rejected", "future_start", 0)
    assert telemetry.snapshot()["spans_rejected"] == {}


@pytest.mark.parametrize("use", [lambda t: t.count("typo"), lambda t: t.value("typo")])
def test_a_name_that_is_not_declared_is_refused(use):
    with pytest.raises(KeyError, match="typo"):
        use(Telemetry())


@pytest.mark.parametrize("name", COUNTERS)
def test_every_counter_says_what_it_counts(name):
    assert len(COUNTERS[name].split()) >= 4
    assert name.replace("_", "").isalpha()


def test_threads_lose_no_count():
    telemetry = Telemetry()

    def count():
        for _ in range(2_000):
            telemetry.count("caller_mismatch")

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert telemetry.value("caller_mismatch") == 8_000
