import pytest
from playwright.sync_api import expect

from tests.dashboard import fake_graph
from tests.dashboard.reading import edge, focused, node, panel, places, query, until, walk

pytestmark = pytest.mark.browser


def test_every_node_stands_where_the_collector_put_it(page, collector):
    wanted = {key: (at["x"], at["y"]) for key, at in collector.snapshot["layout"]["nodes"].items()}
    assert places(page) == wanted


def test_every_edge_is_drawn_between_its_boxes(page, collector):
    assert page.locator(".map-canvas .edge").count() == len(collector.snapshot["graph"]["edges"])
    line = edge(page, "client:->service:gateway").locator(".line").get_attribute("d")
    # from the caller's right side to the arrow head at the callee's left side
    assert line.startswith("M240,254C")
    assert line.endswith(" 330,254")


def test_the_worst_edges_are_drawn_last(page):
    classes = page.locator(".map-canvas .edge").evaluate_all("all => all.map(e => e.getAttribute('class'))")
    order = [next(c for c in ("healthy", "degraded", "failing") if f"sev-{c}" in text) for text in classes]
    assert order == sorted(order, key=["healthy", "degraded", "failing"].index)
    assert set(order) == {"healthy", "degraded", "failing"}


def test_an_edge_against_the_order_is_marked_and_a_call_to_oneself_is_not(page):
    expect(edge(page, "service:mail->service:account")).to_contain_class("is-back")
    expect(edge(page, "service:stock->service:stock")).not_to_contain_class("is-back")


def test_a_node_and_an_edge_have_names_that_say_their_figures(page):
    expect(page.get_by_role("button", name="cart: 4.5 calls/s, 0.099 % errors", exact=True)).to_be_visible()
    expect(page.get_by_role("button", name="stock.db (database): 9.8 calls/s, 0 % errors")).to_be_visible()
    name = "checkout calls payment: 54 calls/min, 7.7 % errors, p95 159 ms"
    on_map = page.get_by_role("application").get_by_role("button", name=name, exact=True)
    expect(on_map).to_be_attached()


def test_nothing_that_can_be_pressed_is_without_a_name(page):
    controls = page.get_by_role("button").all() + page.get_by_role("radio").all()
    assert len(controls) > 40
    nameless = [c for c in controls if not c.evaluate(ACCESSIBLE_TEXT).strip()]
    assert nameless == []


ACCESSIBLE_TEXT = """e => e.getAttribute('aria-label') || e.textContent
    || e.closest('label')?.textContent || ''"""


def test_hovering_a_node_leaves_only_its_neighbours_bright(page):
    node(page, "service:payment").locator(".box").hover()
    bright = page.locator(".node[data-lit]").evaluate_all("all => all.map(n => n.dataset.id).sort()")
    assert bright == ["channel:kafka/orders", "service:checkout", "service:payment"]
    page.mouse.move(5, 300)
    expect(page.locator("[data-lit], [data-emphasis]")).to_have_count(0)


def test_hovering_an_edge_tells_its_figures(page):
    edge(page, "service:checkout->service:payment").locator(".line").hover(force=True)
    expect(page.locator(".edge-label")).to_have_text("54/min · 7.7 % · p95 159 ms")


def test_dragging_moves_the_map_and_leaves_the_selection(page):
    node(page, "service:audit").locator(".box").click()
    expect(panel(page).get_by_role("heading", level=2)).to_have_text("audit")
    before = node(page, "service:cart").bounding_box()
    page.mouse.move(before["x"] + 10, before["y"] + 10)
    page.mouse.down()
    page.mouse.move(before["x"] + 70, before["y"] + 50, steps=4)
    page.mouse.up()
    after = node(page, "service:cart").bounding_box()
    assert (round(after["x"] - before["x"]), round(after["y"] - before["y"])) == (60, 40)
    assert query(page) == {"select": "service:audit"}


def test_the_wheel_zooms_around_the_pointer(page):
    box = node(page, "service:cart").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.wheel(0, -400)
    until(page, lambda: node(page, "service:cart").bounding_box()["width"] > box["width"] * 1.5)
    grown = node(page, "service:cart").bounding_box()
    assert grown["x"] + grown["width"] / 2 == pytest.approx(x, abs=2)
    assert grown["y"] + grown["height"] / 2 == pytest.approx(y, abs=2)


def test_zoom_keys_and_buttons_and_back_to_everything(page):
    width = lambda: node(page, "service:gateway").bounding_box()["width"]  # noqa: E731  # asked again and again
    start = width()
    page.keyboard.press("+")
    until(page, lambda: width() > start * 1.2)
    page.get_by_role("button", name="Farther").click()
    page.keyboard.press("-")
    until(page, lambda: width() < start * 0.9)
    page.keyboard.press("0")
    until(page, lambda: width() == pytest.approx(start, rel=0.01))


def test_the_map_is_one_tab_stop_with_a_walk_inside(page):
    assert page.locator('.map-canvas [tabindex="0"]').count() == 1
    page.get_by_role("button", name="Help").focus()
    walk(page, "Tab")
    assert focused(page) == "client:"
    walk(page, "ArrowRight")
    assert focused(page) == "service:gateway"
    walk(page, "ArrowRight", "ArrowDown")
    assert focused(page) == "service:checkout"
    assert page.locator('.map-canvas [tabindex="0"]').count() == 1


def test_every_node_and_edge_can_be_reached_by_keys_alone(page, collector):
    graph = collector.snapshot["graph"]
    known = {one["id"] for one in graph["nodes"]} | {one["id"] for one in graph["edges"]}
    page.locator('.map-canvas [tabindex="0"]').focus()
    seen = {focused(page)}
    todo = list(seen)
    while todo:
        start = todo.pop()
        for key in STEPS:
            page.locator(f'[data-id="{start}"]').focus()
            walk(page, key)
            if focused(page) not in seen:
                seen.add(focused(page))
                todo.append(focused(page))
    assert seen == known


STEPS = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Shift+ArrowLeft", "Shift+ArrowRight"]


def test_a_walk_by_keys_ends_in_the_right_figures(page):
    page.locator('.map-canvas [tabindex="0"]').focus()
    walk(page, "ArrowRight", "ArrowRight", "ArrowDown", "Shift+ArrowRight")
    assert focused(page).startswith("service:checkout->")
    while focused(page) != "service:checkout->service:payment":
        walk(page, "ArrowDown")
    walk(page, "Enter")
    expect(panel(page).get_by_role("heading", level=2)).to_contain_text("payment")
    expect(panel(page)).to_contain_text("62 errors")
    expect(edge(page, "service:checkout->service:payment")).to_have_attribute("aria-pressed", "true")


HOSTILE = [
    "<img src=x onerror=window.hacked=1>",
    '"><script>window.hacked=1</script>',
    "</text></svg><a href=javascript:hacked=1>",
    "${window.hacked=1}",
    "x&amp;y",
    "[data-id=x], *",
    "a" * 4000,
    "\u202egnp.exe",
    "__proto__",
    "constructor",
    "日本語 サービス",
]


def test_names_are_text_whatever_is_in_them(page, collector):
    collector.show(fake_graph.hostile(HOSTILE))
    expect(page.locator(".node")).to_have_count(len(HOSTILE))
    ids = page.locator(".node").evaluate_all("all => all.map(n => n.dataset.id)")
    assert sorted(ids) == sorted(f"service:{name}" for name in HOSTILE)
    for at, node_id in enumerate(ids):
        page.locator(".node").nth(at).locator(".box").click()
        name = node_id.removeprefix("service:").replace("\u202e", "\ufffd")
        expect(panel(page).get_by_role("heading", level=2)).to_have_text(name)
    assert page.evaluate("window.hacked") is None
    assert page.locator("img:not([src='icon.svg']), script:not([src]), svg a").count() == 0
