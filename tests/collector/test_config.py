from pathlib import Path

import pytest

from weft_collector.config import SETTINGS, BadSetting, Config, is_loopback


def test_defaults_load_and_every_setting_is_a_field():
    config = Config.load({})
    assert {setting.name for setting in SETTINGS} == set(Config.__dataclass_fields__)
    assert (config.host, config.port, config.insecure) == ("127.0.0.1", 4318, False)
    assert config.body_bytes == 16 << 20
    assert config.allowed_hosts == ()


def test_every_default_is_read_by_its_own_type_and_in_range():
    for setting in SETTINGS:
        setting.read(setting.default)
        assert setting.meaning.endswith(".")


def test_flags_win_over_the_environment_and_that_over_defaults():
    environ = {"WEFT_PORT": "1000", "WEFT_HOST": "localhost"}
    config = Config.load(environ, {"port": 2000, "host": None})
    assert (config.port, config.host) == (2000, "localhost")


def test_an_empty_variable_counts_as_not_set():
    assert Config.load({"WEFT_PORT": ""}).port == 4318


def test_the_data_folder_follows_the_users_data_home():
    assert Config.load({"XDG_DATA_HOME": "/x"}).data == Path("/x/weft")
    assert Config.load({"XDG_DATA_HOME": "/x", "WEFT_DATA": "/y"}).data == Path("/y")
    assert Config.load({"XDG_DATA_HOME": "/x"}, {"data": "~/z"}).data == Path.home() / "z"


@pytest.mark.parametrize(
    ("text", "size"),
    [("1048576", 1 << 20), ("2MiB", 2 << 20), ("1.5 MiB", 3 << 19), ("3mib", 3 << 20), ("2048kib", 2 << 20)],
)
def test_sizes_are_read_with_units(text, size):
    assert Config.load({"WEFT_BODY_BYTES": text}).body_bytes == size


@pytest.mark.parametrize(("text", "value"), [("true", True), ("1", True), ("NO", False), ("off", False)])
def test_switches_are_read_as_words(text, value):
    assert Config.load({"WEFT_INSECURE": text}).insecure is value


def test_lists_are_read_by_commas():
    assert Config.load({"WEFT_ALLOWED_HOSTS": " a, b ,,c"}).allowed_hosts == ("a", "b", "c")


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("WEFT_PORT", "70000", "0 to 65535"),
        ("WEFT_PORT", "http", "a whole number"),
        ("WEFT_SERVER", "gunicorn", "uvicorn or granian"),
        ("WEFT_GRPC_PORT", "-2", "-1 to 65535"),
        ("WEFT_BODY_BYTES", "16 parsecs", "16MiB"),
        ("WEFT_BODY_BYTES", "inf", "bytes"),
        ("WEFT_BODY_SECONDS", "nan", "range"),
        ("WEFT_INSECURE", "maybe", "true or false"),
        ("WEFT_HEAD_SPANS", "0", "range"),
        ("WEFT_VIEWERS", "-1", "range"),
        ("WEFT_IN_FLIGHT_BYTES", "1MiB", "body_bytes"),
    ],
)
def test_a_wrong_value_is_refused_with_its_name_and_what_it_may_be(name, text, said):
    with pytest.raises(BadSetting) as caught:
        Config.load({name: text})
    assert name.removeprefix("WEFT_").lower() in str(caught.value)
    assert said in str(caught.value)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.4", "collector.example"])
def test_listening_beyond_this_machine_must_be_meant(host):
    with pytest.raises(BadSetting, match="--insecure"):
        Config.load({"WEFT_HOST": host})
    assert Config.load({"WEFT_HOST": host}, {"insecure": True}).host == host


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        *((host, True) for host in ("127.0.0.1", "127.9.9.9", "::1", "[::1]", "localhost", "LOCALHOST.")),
        *((host, False) for host in ("0.0.0.0", "localhost.example", "", "10.0.0.1")),
    ],
)
def test_loopback_is_known_by_number_and_name(host, expected):
    assert is_loopback(host) is expected
