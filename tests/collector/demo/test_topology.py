from collections import Counter
from pathlib import Path

import pytest

from weft_collector.demo import services
from weft_collector.demo.topology import CLIENT, PYMICRO, SHOP, TOPOLOGIES, Start

HOME = Path(services.__path__[0])


@pytest.mark.parametrize("topology", TOPOLOGIES.values(), ids=lambda t: t.name)
class TestEveryTopology:
    def test_each_service_lives_in_one_program(self, topology):
        assert max(Counter(topology.services).values()) == 1

    def test_each_caller_and_callee_exists(self, topology):
        ends = {end for edge in topology.edges for end in edge}
        assert {end for end in ends if "/" not in end} == {CLIENT, *topology.services}

    def test_each_program_has_its_file(self, topology):
        assert all((HOME / f"{program.module}.py").exists() for program in topology.programs)

    def test_program_names_differ(self, topology):
        names = [program.name for program in topology.programs]
        assert len({*names}) == len(names)


def test_the_shop_has_at_least_ten_services_in_several_processes_and_two_of_them_share_one():
    assert len(SHOP.services) >= 10
    assert len(SHOP.programs) > 5
    assert [program.services for program in SHOP.programs if len(program.services) > 1] == [
        ("notifications", "mailer")
    ]


def test_the_shop_shows_every_way_to_start():
    assert {program.start for program in SHOP.programs} == set(Start)


def test_a_stale_caller_entry_through_the_stock_service_would_be_seen():
    (stock,) = (program.name for program in SHOP.programs if program.start is Start.STOCK)
    upstream = {caller for caller, callee in SHOP.edges if callee == stock}
    downstream = SHOP.calls[stock]
    assert upstream
    assert downstream
    assert not {(caller, callee) for caller in upstream for callee in downstream} & SHOP.edges


def test_only_programs_that_say_so_import_weft():
    in_code = {
        program.module
        for topology in TOPOLOGIES.values()
        for program in topology.programs
        if program.start is Start.IN_CODE
    }
    importing = {path.stem for path in HOME.glob("*.py") if "import weft\n" in path.read_text()}
    assert importing == in_code


def test_the_classic_tree_has_21_services():
    assert len(PYMICRO.services) == 16 + 5
