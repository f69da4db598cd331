import logging

from weft import guard


@guard.guarded
def divide(a, b):
    """Doc."""
    return a / b


def test_a_result_passes_and_an_exception_becomes_none():
    assert divide(6, b=3) == 2
    assert divide(1, 0) is None
    assert divide.__doc__ == "Doc."


def test_failures_are_counted_by_place_and_logged_once(caplog):
    with caplog.at_level(logging.DEBUG, logger="weft"):
        for _ in range(3):
            divide(1, 0)
    (place,) = guard.failures
    assert place.endswith("test_guard.divide")
    assert guard.failures[place] == 3
    assert len(caplog.records) == 1
    assert "ZeroDivisionError" in caplog.text


def test_a_logging_handler_that_raises_is_not_felt():
    class Broken(logging.Handler):
        def emit(self, record):
            raise RuntimeError("reentrant call")

    log = logging.getLogger("weft")
    level, handler = log.level, Broken()
    log.addHandler(handler)
    log.setLevel(logging.DEBUG)
    try:
        assert divide(1, 0) is None
    finally:
        log.removeHandler(handler)
        log.setLevel(level)
