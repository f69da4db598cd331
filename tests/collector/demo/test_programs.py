import sys
from pathlib import Path

import pytest

from weft_collector.demo.programs import Surroundings, collector, command, without_settings
from weft_collector.demo.topology import SHOP

ADDRESSES = {service: ("127.0.0.1", 4000 + number) for number, service in enumerate(SHOP.services)}
SURROUNDINGS = Surroundings(ADDRESSES, "http://127.0.0.1:4318", Path("/demo"))
PROGRAMS = {program.name: program for program in SHOP.programs}


def test_a_zero_code_program_runs_under_weft_run():
    line = command(PROGRAMS["catalog"], SURROUNDINGS).arguments
    assert line[line.index("run") :][:4] == ("run", "--service", "catalog", "--")
    assert "weft_collector.demo.services.catalog:app" in line
    assert line[line.index("--port") + 1] == str(ADDRESSES["catalog"][1])


@pytest.mark.parametrize("name", ["gateway", "shipping", "notifications"])
def test_other_programs_run_as_they_are(name):
    line = command(PROGRAMS[name], SURROUNDINGS).arguments
    assert line[:2] == (sys.executable, "-m")
    assert "run" not in line


def test_every_program_knows_the_others_and_the_collector():
    environment = command(PROGRAMS["web"], SURROUNDINGS).environment
    assert environment["WEFT_COLLECTOR"] == "http://127.0.0.1:4318"
    assert environment["DEMO_FOLDER"] == "/demo"
    assert "cart=127.0.0.1:" in environment["DEMO_ADDRESSES"]


def test_only_the_stock_program_gets_settings_of_the_sdk():
    settings = {
        n: [k for k in command(p, SURROUNDINGS).environment if k.startswith("OTEL_")]
        for n, p in PROGRAMS.items()
    }
    assert [name for name, keys in settings.items() if keys] == ["shipping"]


def test_the_users_tracing_settings_stay_out():
    environment = {
        "OTEL_TRACES_SAMPLER": "always_off",
        "WEFT_SERVICE": "mine",
        "WEFT_CACHE": "/cache",
        "PATH": "/bin",
    }
    assert without_settings(environment) == {"WEFT_CACHE": "/cache", "PATH": "/bin"}


def test_the_collector_gets_its_port_and_folder():
    line = collector(5000, Path("/data")).arguments
    assert line[line.index("serve") :] == ("serve", "--port", "5000", "--grpc-port", "-1", "--data", "/data")
