import copy
import re

import pytest
from playwright.sync_api import expect

from tests.dashboard import fake_graph
from tests.dashboard.reading import node, panel, query

pytestmark = pytest.mark.browser


def cells(table):
    return [
        [" ".join(c.inner_text().split()) for c in row.locator("th, td").all()]
        for row in table.locator("tbody tr").all()
    ]


def test_nothing_selected_shows_the_whole_and_where_to_look(page):
    expect(panel(page).get_by_role("heading", level=2)).to_have_text("11 services, 19 edges")
    expect(panel(page)).to_contain_text("54,511")
    worst = panel(page).locator(".ranking").first.get_by_role("listitem")
    expect(worst.first).to_have_text(re.compile(r"checkout\s*→\s*payment\s*7\.7 %"))


def test_a_click_on_a_node_shows_its_figures(page):
    node(page, "service:cart").locator(".box").click()
    expect(panel(page).get_by_role("heading", level=2)).to_have_text("cart")
    figures = panel(page).locator(".figure")
    expect(figures).to_have_text(["Calls4,050", "Rate4.5/s", "4 errors0.099 %"])
    assert cells(panel(page).locator(".sides")) == [
        ["measured by the caller", "7.31 ms", "19 ms", "30 ms", "56.3 ms"],
        ["measured by the callee", "6.1 ms", "15.9 ms", "25 ms", "47 ms"],
    ]
    expect(panel(page)).to_contain_text("Calls others 4,320 times (4.8/s), 3 errors")
    assert query(page) == {"select": "service:cart"}


def test_callers_and_callees_lead_to_one_another(page):
    node(page, "service:cart").locator(".box").click()
    callers, callees = panel(page).locator(".edge-list").all()
    expect(callers.locator(".name")).to_have_text(["gateway", "checkout"])
    expect(callees.locator(".name")).to_have_text(["stock", "pricing"])
    callees.get_by_role("button", name="stock", exact=True).click()
    expect(panel(page).get_by_role("heading", level=2)).to_have_text("stock")
    expect(node(page, "service:stock")).to_have_attribute("aria-pressed", "true")


def test_the_figures_in_a_list_lead_to_the_edge(page):
    node(page, "service:cart").locator(".box").click()
    panel(page).get_by_role("button", name="cart calls pricing").click()
    assert query(page)["select"] == "service:cart->service:pricing"
    expect(panel(page)).to_contain_text("All 1,620 calls were seen by both sides.")


def test_a_side_that_was_never_seen_is_absent_and_not_zero(page):
    page.goto(page.url + "?select=service:stock->database:sqlite/stock.db")
    rows = cells(panel(page).locator(".sides"))
    assert rows[0][0] == "measured by the caller"
    assert rows[1] == ["measured by the callee", "not measured"]
    expect(panel(page)).to_contain_text("All 8,820 calls were seen by the caller only.")


def test_completeness_is_told_in_words(page, collector):
    changed = copy.deepcopy(collector.snapshot)
    call = next(e for e in changed["graph"]["edges"] if e["id"] == "service:cart->service:stock")
    call["completeness"] = {"both": 2000, "client_only": 600, "server_only": 90, "inferred": 10}
    collector.show(changed)
    page.goto(page.url + "?select=service:cart->service:stock")
    expect(panel(page).locator(".known p")).to_have_text(
        "Of 2,700 calls, 2,000 seen by both sides, 600 seen by the caller only, "
        "90 seen by the callee only, 10 inferred."
    )


def test_escape_and_the_button_clear_the_selection(page):
    for clear in (
        lambda: page.keyboard.press("Escape"),
        lambda: panel(page).get_by_role("button", name="Clear the selection").click(),
    ):
        node(page, "service:mail").locator(".box").click()
        expect(panel(page).get_by_role("heading", level=2)).to_have_text("mail")
        clear()
        expect(panel(page).get_by_role("heading", level=2)).to_have_text("11 services, 19 edges")


def test_a_selection_that_left_the_window_is_explained(page):
    page.goto(page.url + "?select=service:gone")
    expect(panel(page).get_by_role("heading", level=2)).to_have_text("Not in this window")
    panel(page).get_by_role("button", name="Clear the selection").click()
    expect(panel(page).get_by_role("heading", level=2)).to_have_text("11 services, 19 edges")


def edge_table(page):
    return page.get_by_role("table", name=re.compile("^Edges"))


def column(page, number):
    return edge_table(page).locator(f"tbody tr > :nth-child({number})").all_inner_texts()


@pytest.mark.parametrize(
    ("head", "number", "largest", "smallest"),
    [
        ("Rate", 4, "12.3/s", "3/min"),
        ("Errors", 5, "7.7 %", "0 %"),
        ("p95 by caller", 6, "1.2 s", "4.42 ms"),
        ("p95 by callee", 7, "1.09 s", "2.6 ms"),
        ("Callee", 2, "stock.db", "account"),
    ],
)
def test_the_table_sorts_by_its_heads(page, head, number, largest, smallest):
    page.keyboard.press("t")
    button = edge_table(page).get_by_role("button", name=head, exact=True)
    button.click()
    if head == "Callee":
        button.click()
    expect(edge_table(page).get_by_role("columnheader", name=head, exact=True)).to_have_attribute(
        "aria-sort", "descending"
    )
    assert column(page, number)[0] == largest
    button.click()
    expect(edge_table(page).get_by_role("columnheader", name=head, exact=True)).to_have_attribute(
        "aria-sort", "ascending"
    )
    assert column(page, number)[0] == smallest


def test_the_table_holds_what_the_map_holds_and_selects_the_same(page, collector):
    page.get_by_role("radio", name="Table").check()
    assert column(page, 3)[:3] == ["11,070", "8,820", "6,120"]
    assert len(column(page, 1)) == len(collector.snapshot["graph"]["edges"])
    edge_table(page).get_by_role("row", name=re.compile("checkout payment")).get_by_role("button").click()
    assert query(page) == {"view": "table", "select": "service:checkout->service:payment"}
    expect(panel(page)).to_contain_text("62 errors")


def test_figures_without_a_value_come_last_both_ways(page):
    page.keyboard.press("t")
    button = edge_table(page).get_by_role("columnheader", name="p95 by callee").get_by_role("button")
    for _ in range(2):
        button.click()
        empty = [text == "\N{EN DASH}" for text in column(page, 7)]
        assert empty == sorted(empty)
        assert True in empty


def test_find_marks_counts_and_walks_the_matches(page):
    page.keyboard.press("/")
    page.keyboard.type("ST")
    expect(page.locator(".found")).to_have_text("2 of 15")
    assert page.locator(".node.is-match").count() == 2
    assert page.locator(".node.is-dim").count() == 13
    page.keyboard.press("Enter")
    expect(panel(page).get_by_role("heading", level=2)).to_have_text("stock.db")
    page.keyboard.press("Enter")
    expect(panel(page).get_by_role("heading", level=2)).to_have_text("stock")
    page.keyboard.press("Escape")
    expect(page.locator(".node.is-dim")).to_have_count(0)
    expect(page.get_by_role("searchbox")).to_have_value("")


def test_find_narrows_the_table_too(page):
    page.keyboard.press("t")
    page.keyboard.press("/")
    page.keyboard.type("mail")
    expect(edge_table(page).locator("tbody tr")).to_have_count(2)


def test_pending_calls_are_told(page, collector):
    waiting = copy.deepcopy(fake_graph.shop())
    waiting["graph"]["pending"] = 3
    collector.show(waiting)
    expect(panel(page)).to_contain_text("3 calls still without the other side.")


def test_spans_that_may_be_judged_anew_are_told(page, collector):
    late = copy.deepcopy(fake_graph.shop())
    late["graph"]["repairs_pending"] = 1
    collector.show(late)
    expect(panel(page)).to_contain_text("1 span came late and may be judged anew")
