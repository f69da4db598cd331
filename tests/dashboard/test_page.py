import json
import re

import pytest
from playwright.sync_api import expect

from tests.dashboard import fake_graph
from tests.dashboard.browser import watched_page
from tests.dashboard.fake_collector import FakeCollector
from tests.dashboard.reading import edge, focused, node, panel, places, query, until

pytestmark = pytest.mark.browser


HIDE = """hidden => {
    Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
}"""


def live_state(page):
    return page.locator(".live")


def asked(collector, path):
    return sum(one == path for one in collector.asked)


def test_a_working_page_complains_of_nothing_and_asks_nobody_else(watched, page, collector):
    _, watch = watched
    expect(live_state(page)).to_have_text("Live")
    node(page, "service:cart").locator(".box").click()
    for key in ("t", "t", "?", "Escape", "+", "0", "/"):
        page.keyboard.press(key)
    page.get_by_role("button", name="Dark theme").click()
    page.get_by_role("radio", name="1h", exact=True).check()
    collector.show(fake_graph.with_node(collector.snapshot, "refunds", "service:payment", 4, 2.5))
    expect(node(page, "service:refunds")).to_be_visible()
    assert watch.complaints == []
    assert watch.foreign == []


def test_the_page_works_below_a_path(browser):
    collector = FakeCollector(fake_graph.shop(), root="/tools/weft")
    try:
        with watched_page(browser, collector.origin) as (page, watch):
            page.goto(f"{collector.address}/")
            expect(page.locator(".node")).to_have_count(15)
            expect(live_state(page)).to_have_text("Live")
            node(page, "service:cart").locator(".box").click()
            page.reload()
            expect(panel(page).get_by_role("heading", level=2)).to_have_text("cart")
            assert page.url.startswith(f"{collector.address}/?")
            assert watch.complaints == []
    finally:
        collector.stop()


def test_a_live_update_adds_a_node_and_moves_no_other(page, collector):
    before, drawn = places(page), node(page, "service:cart").bounding_box()
    collector.show(fake_graph.with_node(collector.snapshot, "refunds", "service:payment", 4, 2.5))
    expect(node(page, "service:refunds")).to_contain_class("is-fresh")
    after = places(page)
    assert after.pop("service:refunds") == (1340, 302)
    assert after == before
    assert node(page, "service:cart").bounding_box() == drawn


def test_only_comings_and_goings_are_said_aloud(page, collector):
    spoken = page.locator("[aria-live=polite].unseen")
    first = collector.snapshot
    collector.show({**first, "graph": {**first["graph"], "version": 2, "pending": 5}})
    expect(panel(page)).to_contain_text("5 calls still without")
    assert spoken.text_content() == ""
    collector.show(fake_graph.with_node(first, "refunds", "service:payment", 4, 2.5))
    expect(spoken).to_have_text("refunds appeared.")
    collector.show(first)
    expect(spoken).to_have_text("refunds left.")


@pytest.mark.parametrize("script", ["", "delete Element.prototype.moveBefore"], ids=["new", "old browser"])
def test_a_live_update_does_not_take_the_focus_away(page, collector, script):
    page.evaluate(script)
    edge(page, "service:gateway->service:catalogue").focus()
    worse = json.loads(json.dumps(collector.snapshot))
    for call in worse["graph"]["edges"]:
        call["error_rate"] = 0.2 if call["id"] == "service:gateway->service:catalogue" else 0.0
    collector.show(worse)
    expect(edge(page, "service:gateway->service:catalogue")).to_contain_class("sev-failing")
    until(page, lambda: focused(page) == "service:gateway->service:catalogue")
    page.keyboard.press("ArrowRight")
    assert focused(page) == "service:catalogue"


def test_holding_the_picture_closes_the_stream_and_going_on_opens_it(page, collector):
    expect(live_state(page)).to_have_text("Live")
    live_state(page).click()
    expect(live_state(page)).to_have_text("Paused")
    until(page, lambda: not collector.streams)
    collector.show(fake_graph.with_node(collector.snapshot, "refunds", "service:payment", 4, 2.5))
    page.keyboard.press("t")
    page.keyboard.press("t")
    assert node(page, "service:refunds").count() == 0
    live_state(page).click()
    expect(node(page, "service:refunds")).to_be_visible()


def test_a_hidden_tab_asks_nothing(page, collector):
    expect(live_state(page)).to_have_text("Live")
    page.evaluate(HIDE, True)
    until(page, lambda: not collector.streams)
    page.evaluate(HIDE, False)
    until(page, lambda: len(collector.streams) == 1)


def test_without_event_streams_the_page_reads_by_itself(browser, collector):
    collector.stream = False
    with watched_page(browser, collector.origin) as (page, _):
        page.goto(f"{collector.address}/")
        expect(live_state(page)).to_have_text("Live (polling)")
        assert len(places(page)) == 15
        assert asked(collector, "/api/v1/graph/layout") >= 1


def test_an_unreachable_collector_is_said_counted_down_and_found_again(page, collector):
    collector.break_down()
    banner = page.locator(".banner")
    expect(banner.get_by_role("alert")).to_contain_text("The collector answered 503: the log is being read")
    expect(banner).to_contain_text(re.compile(r"Next attempt in \d+ s\."))
    expect(live_state(page)).to_have_text("Offline")
    assert page.locator(".node").count() == 15
    collector.break_down(broken=False)
    banner.get_by_role("button", name="Try now").click()
    expect(banner).to_have_count(0)
    expect(live_state(page)).to_have_text("Live")


def test_another_window_is_another_picture(page, collector):
    collector.windows["1h"] = fake_graph.hostile(["one", "two"])
    page.get_by_role("radio", name="1h", exact=True).check()
    expect(page.locator(".node")).to_have_count(2)
    assert query(page) == {"window": "1h"}
    assert page.locator("[aria-live=polite].unseen").text_content() == ""
    page.go_back()
    expect(page.locator(".node")).to_have_count(15)


def test_the_address_is_the_state(page, collector):
    page.get_by_role("radio", name="6h", exact=True).check()
    node(page, "service:stock").locator(".box").click()
    page.keyboard.press("t")
    page.get_by_role("searchbox").fill("sto")
    page.get_by_role("table", name=re.compile("^Edges")).get_by_role("button", name="Rate").click()
    state = {"window": "6h", "select": "service:stock", "view": "table", "find": "sto", "sort": "-rate"}
    assert query(page) == state
    page.reload()
    expect(page.get_by_role("radio", name="6h")).to_be_checked()
    expect(page.get_by_role("radio", name="Table")).to_be_checked()
    expect(page.get_by_role("searchbox")).to_have_value("sto")
    expect(panel(page).get_by_role("heading", level=2)).to_have_text("stock")
    assert query(page) == state
    page.go_back()
    expect(page.get_by_role("radio", name="Map")).to_be_checked()


def test_an_address_made_up_by_somebody_is_taken_for_what_it_can_mean(page, collector):
    page.goto(
        f"{collector.address}/?window=999y&view=%3Cscript%3E&select=%3Cimg%3E&sort=nonsense&find=%22%3E"
    )
    expect(page.get_by_role("radio", name="15m")).to_be_checked()
    expect(panel(page).get_by_role("heading", level=2)).to_have_text("Not in this window")


def test_the_empty_page_says_what_to_paste_and_counts(page, collector):
    collector.show(fake_graph.empty())
    expect(page.get_by_role("heading", name="No calls yet")).to_be_visible()
    lines = page.locator(".paste code").all_inner_texts()
    assert lines == [
        "pip install weft",
        f"weft run --service NAME --collector {collector.address} -- uvicorn app:app",
        f'weft.init(service="NAME", collector="{collector.address}")',
        f"OTEL_EXPORTER_OTLP_ENDPOINT={collector.address}",
    ]
    expect(page.get_by_role("status")).to_have_text("Waiting for the first span… 0 received")
    collector.spans_received = 12
    expect(page.locator(".empty")).to_contain_text("12 spans received so far")
    collector.show(fake_graph.shop())
    expect(page.locator(".node")).to_have_count(15)


def test_a_line_is_copied(browser, collector):
    collector.show(fake_graph.empty())
    permissions = ["clipboard-read", "clipboard-write"]
    with watched_page(browser, collector.origin, permissions=permissions) as (page, _):
        page.goto(f"{collector.address}/")
        page.get_by_role("button", name="Copy: OTEL").click()
        expect(page.get_by_role("button", name="Copy: OTEL")).to_have_text("Copied")
        assert (
            page.evaluate("navigator.clipboard.readText()")
            == f"OTEL_EXPORTER_OTLP_ENDPOINT={collector.address}"
        )


def test_an_empty_window_offers_longer_ones(page, collector):
    collector.spans_received = 7
    collector.windows["5m"] = fake_graph.empty()
    page.get_by_role("radio", name="5m", exact=True).check()
    expect(page.get_by_role("heading", name="Nothing in this window")).to_be_visible()
    page.get_by_role("button", name="15m").click()
    expect(page.locator(".node")).to_have_count(15)


def ground(page):
    return page.evaluate("getComputedStyle(document.body).backgroundColor")


@pytest.mark.parametrize(("scheme", "colour"), [("light", "rgb(244, 246, 249)"), ("dark", "rgb(16, 20, 27)")])
def test_the_theme_is_the_systems(browser, collector, scheme, colour):
    with watched_page(browser, collector.origin, color_scheme=scheme) as (page, _):
        page.goto(f"{collector.address}/")
        page.locator(".node").first.wait_for()
        assert ground(page) == colour


def test_the_theme_that_was_chosen_is_remembered(page):
    page.get_by_role("button", name="Dark theme").click()
    assert ground(page) == "rgb(16, 20, 27)"
    page.reload()
    expect(page.get_by_role("button", name="Light theme")).to_be_visible()
    assert ground(page) == "rgb(16, 20, 27)"


def test_the_help_opens_on_a_question_mark_and_closes_on_escape(page):
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keys")
    expect(dialog).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    page.get_by_role("button", name="Help").click()
    dialog.get_by_role("button", name="Close").click()
    expect(dialog).to_be_hidden()


def test_keys_typed_into_the_find_field_stay_there(page):
    page.keyboard.press("/")
    page.keyboard.type("t?+-0/")
    expect(page.get_by_role("searchbox")).to_have_value("t?+-0/")
    assert "view=" not in page.url
