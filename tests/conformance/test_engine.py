"""The collector in process, over the whole pack; what it does not do yet stands here by rule, and only ever less."""

import re
from pathlib import Path

import pytest

from tests.conformance import engine
from tests.conformance.pack import FIGURES, SECTIONS, cases, differences

CASES = cases()
PAGE = Path(__file__).parents[2] / "docs/graph-rules.md"

# By the rule that the collector does not apply yet: the cases that it does not pass for it.
NOT_YET: dict[str, tuple[str, ...]] = {
    "R2.13": (
        "a_consumer_inside_its_own_poll_loop_follows_its_link",
        "a_consumer_without_parent_was_called_by_what_it_links_to",
        "a_link_counts_before_the_span_that_it_names_has_come",
        "the_first_link_that_names_somebody_wins",
    ),
    "R3.11": (
        "a_batch_span_around_a_span_for_each_message",
        "a_batch_that_is_processed_message_by_message",
        "a_consumer_that_says_no_operation_processes",
        "processing_below_receiving_is_one_call",
        "receiving_and_processing_side_by_side_is_one_call",
        "two_instrumentations_of_one_consumer",
    ),
    "R3.14": ("messages_created_beforehand_and_linked_to",),
    "R4.6": (
        "a_lease_counts_at_the_time_of_the_call",
        "an_address_is_the_instance_that_holds_it",
        "of_two_leases_the_later_one_counts",
        "the_address_that_was_reached_wins_over_the_one_that_was_asked_for",
    ),
}

# Figures that no answer of the collector has yet: cases that expect them are held to the others only.
NOT_SERVED = {
    "adjusted": "R5.11",
    "connections": "R5.9",
    "derived": "R3.15",
    "inferred": "R3.8",
    "instances": "R5.8",
    "messages": "R3.13",
    "operations": "R5.8",
    "queueing": "R5.13",
    "resends": "R5.10",
}

EXCUSED = {name for names in NOT_YET.values() for name in names}
DELIVERIES = {
    "as they come": lambda case: engine.answer(case, case.bodies),
    "with pauses": lambda case: engine.answer(case, case.bodies, settle_between=True),
    "backwards": lambda case: engine.answer(case, case.one_by_one[::-1]),
}


def wrong(case):
    """What the collector says otherwise, by delivery."""
    chosen = {k: d for k, d in DELIVERIES.items() if k != "backwards" or not case.expected["ordered"]}
    found = {name: differences(case.expected, deliver(case)) for name, deliver in chosen.items()}
    return {name: lines for name, lines in found.items() if lines}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_collector_finds_what_is_expected(case):
    found = wrong(case)
    if case.name in EXCUSED:
        assert found, f"{case.name} passes now: take it off the list"
    else:
        assert found == {}


def test_the_list_names_cases_below_rules_that_they_show():
    shown = {case.name: case.expected["rules"] for case in CASES}
    assert [
        (rule, name) for rule, names in NOT_YET.items() for name in names if rule not in shown[name]
    ] == []


def test_what_is_not_served_is_not_served():
    served = engine.answer(CASES[0], CASES[0].bodies)
    assert {*FIGURES, *SECTIONS} - {*served, *next(iter(served["edges"].values()))} == set(NOT_SERVED)


def test_the_page_says_what_does_not_hold_yet():
    section = PAGE.read_text().partition("## 7.")[2].partition("## 8.")[0]
    named = set(re.findall(r"R[0-9]+\.[0-9]+", section))
    named |= {
        f"R{a}.{n}"
        for a, b, _, c in re.findall(r"R([0-9]+)\.([0-9]+) to R([0-9]+)\.([0-9]+)", section)
        for n in range(int(b), int(c))
    }
    assert {*NOT_YET, *NOT_SERVED.values()} <= named
