import pytest

from weft_collector import errors

ALL = [getattr(errors, name) for name in errors.__all__]
STATUS = {
    "BadQuery": 400,
    "BodyTooLarge": 413,
    "IntakeFull": 503,
    "MalformedBody": 400,
    "NotFound": 404,
    "NotReady": 503,
    "StorageFailed": 503,
    "UnsupportedContentType": 415,
    "UnsupportedEncoding": 415,
}


@pytest.mark.parametrize("error", ALL)
def test_every_error_belongs_to_the_tree_and_has_a_title_of_its_own(error):
    assert issubclass(error, errors.CollectorError)
    assert [e for e in ALL if e.title == error.title] == [error]
    assert error.__name__ in errors.__doc__


@pytest.mark.parametrize(("name", "status"), STATUS.items())
def test_an_error_knows_its_status(name, status):
    assert getattr(errors, name).status == status


def test_what_was_wrong_is_the_text():
    assert str(errors.MalformedBody("cut short", 17)) == "cut short"
    assert errors.MalformedBody("cut short", 17).position == 17
    assert errors.MalformedBody("cut short").position is None


def test_whatever_is_unavailable_says_when_to_come_back():
    assert errors.IntakeFull("full").retry_after == 1.0
    assert errors.StorageFailed("disk", 5).retry_after == 5


def test_a_missing_library_names_the_line_that_installs_it():
    error = errors.MissingLibrary("PNG needs matplotlib.", "pip install 'weft[all]'")
    assert error.install in str(error)
