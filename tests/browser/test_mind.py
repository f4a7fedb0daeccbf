"""A beast's mind: the map of what it would do, the film of its learning, its curves."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, cast

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from chainbeasts.backend.kernel.state import ENCODED_BYTES
from scripts.lib.spectacle import Spectacle
from tests.browser.conftest import RETRIES, Visit, collect_garbage

WINDOWS = 6
FIRST_SCREEN = 720
ENTRY = 32 + ENCODED_BYTES
"""Of an answer with several states: its hash, then the state."""

VISITS = 4

LONGEST = """
() => {
  const deed = "goes north and strikes with 15 of 15 and raises its guard";
  document.querySelector(".inspector .said").textContent = `Here Quilshawyn ${deed}.`;
  const told = { Move: ["↑ north", "→ east, ↑ north", "✗ otherwise"] };
  told.Strike = ["15 of 15", "15", "✗ 15 off"];
  for (const { cells } of document.querySelectorAll(".inspector .heads tbody tr"))
    (told[cells[0].textContent] ?? []).forEach((text, i) => (cells[i + 1].textContent = text));
  return document.querySelector(".outputs").getBoundingClientRect().bottom;
}
"""
"""The most that the inspector says of a tile, with the longest name; where its logits end then."""


@pytest.fixture(scope="module")
def beast(world: Spectacle) -> int:
    """A beast with a few windows, whose states are published."""
    hatched = world.hatch(world.owner)
    world.train(world.owner, hatched, WINDOWS)
    world.catch_up()
    return hatched


def cell(page: Page, tile: int) -> Locator:
    return page.locator(f"[role=gridcell][data-tile='{tile}']")


def say(page: Page, tile: int) -> str:
    return str(cell(page, tile).get_attribute("aria-label"))


def whole_film(page: Page, brains: int = WINDOWS + 1) -> None:
    """Wait until every frame's brain has been fetched, checked and examined."""
    expect(page.locator(".bars i")).to_have_count(WINDOWS + 1)
    expect(page.locator(".bars [data-held=yes]")).to_have_count(brains)


def test_a_board_is_no_lower_where_a_state_is_believed(visit: Visit, beast: int) -> None:
    def believed(route: Route) -> None:
        answer = route.fetch(max_retries=RETRIES)
        route.fulfill(response=answer, json=answer.json() | {"believed_since": 123_456})

    visit.page.route(f"**/v1/beasts/{beast}", believed)
    visit.page.set_viewport_size({"width": 1280, "height": FIRST_SCREEN})
    visit.go(f"#/beasts/{beast}")
    expect(visit.page.locator(".hero .unopened")).to_be_visible()
    box = visit.box(visit.page.locator(".policy"))
    assert box["y"] + box["height"] <= FIRST_SCREEN


def test_the_first_screen_has_the_board_and_the_keyboard_arranges_it(
    visit: Visit, beast: int
) -> None:
    page = visit.page
    page.set_viewport_size({"width": 1280, "height": FIRST_SCREEN})
    visit.go(f"#/beasts/{beast}")
    whole_film(page)
    box = visit.box(page.locator(".policy"))
    assert box["y"] + box["height"] <= FIRST_SCREEN
    assert box["height"] > FIRST_SCREEN / 2
    # Beside it, in the same screen, all that goes on in the mind: logits, inputs, activations.
    for part in (".outputs", ".sees", ".layer >> nth=2"):
        expect(page.locator(part)).to_be_visible()
        beside = visit.box(page.locator(part))
        assert beside["x"] >= box["x"] + box["width"], part
        assert beside["y"] + beside["height"] <= FIRST_SCREEN, part
    assert page.evaluate(LONGEST) <= FIRST_SCREEN

    labels = page.locator("[role=gridcell]").evaluate_all(
        "all => all.map(e => e.getAttribute('aria-label'))"
    )
    assert len(labels) == 64
    assert sum("the enemy" in label for label in labels) == 1
    told = re.compile(r"^[a-h][1-8]: .+; the teacher: (strike with|go|has no way)")
    standing = [label for label in labels if told.match(label)]
    assert len(standing) == sum("the teacher" in label for label in labels) > 40
    arrows = page.locator(".signs:not(.none)")
    assert arrows.count() == len(standing)

    page.locator("[role=gridcell][tabindex='0']").focus()
    for _ in range(8):  # to the corner, from wherever
        page.keyboard.press("ArrowUp")
        page.keyboard.press("ArrowLeft")
    expect(cell(page, 0)).to_be_focused()
    expect(page.locator(".inspector h3")).to_have_text("On a1")
    page.keyboard.press("w")
    expect(cell(page, 0)).to_have_attribute("aria-label", "a1: a wall")
    expect(page.locator(".inspector")).to_contain_text("cannot stand there")
    page.keyboard.press("Shift+ArrowRight")
    expect(cell(page, 1)).to_have_attribute("aria-label", "b1: a wall")
    expect(cell(page, 0)).not_to_have_attribute("aria-label", "a1: a wall")
    page.keyboard.press("Delete")
    expect(cell(page, 1)).to_have_attribute("aria-label", told)
    page.keyboard.press("e")
    expect(cell(page, 1)).to_have_attribute("aria-label", "b1: the enemy")
    page.keyboard.press("ArrowLeft")
    expect(cell(page, 0)).to_have_attribute("aria-label", re.compile("the teacher: strike with"))

    before = say(page, 0)
    page.get_by_role("slider", name="Enemy's power").fill("0")
    page.get_by_role("slider", name="Its own guard").fill("96")
    expect(cell(page, 0)).to_have_attribute("aria-label", re.compile("guard down$"))
    assert "guard up" in before


def test_the_enemy_is_dragged_and_walls_are_drawn(visit: Visit, beast: int) -> None:
    page = visit.page
    visit.go(f"#/beasts/{beast}")
    whole_film(page)
    page.get_by_label("Terrain").select_option(label="open field")
    labels = page.locator("[role=gridcell]")
    expect(page.locator(".policy .wall")).to_have_count(0)
    enemy = labels.evaluate_all(
        "all => all.findIndex(e => e.getAttribute('aria-label').endsWith('the enemy'))"
    )
    assert enemy not in (7, 56, 57, 58)
    page.locator(".policy").scroll_into_view_if_needed()

    def drag(start: int, end: int, steps: int = 4) -> None:
        for tile, act in ((start, page.mouse.down), (end, page.mouse.up)):
            box = visit.box(cell(page, tile))
            x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
            page.mouse.move(x, y, steps=steps)
            act()

    drag(enemy, 7)
    expect(cell(page, 7)).to_have_attribute("aria-label", "h1: the enemy")
    page.get_by_role("radio", name="Wall").check(force=True)
    drag(56, 58)
    expect(page.locator(".policy .wall")).to_have_count(3)
    for start, end, walls in ((58, 56, 0), (56, 58, 3)):  # in one leap, as a quick hand does
        drag(start, end, steps=1)
        expect(page.locator(".policy .wall")).to_have_count(walls)
    page.get_by_role("radio", name="Look").check(force=True)
    drag(57, 40)
    expect(cell(page, 40)).to_have_attribute("aria-label", "a6: a wall")
    expect(cell(page, 57)).not_to_have_attribute("aria-label", "b8: a wall")


def test_learning_is_played_as_a_film_measured_here(visit: Visit, beast: int) -> None:
    """No metrics server is asked for what is shown."""
    page = visit.page
    page.route_web_socket("**/v1/metrics*", lambda stream: stream.close())
    visit.go(f"#/beasts/{beast}")
    whole_film(page)
    slider = page.get_by_role("slider", name="Window")
    expect(slider).to_have_value(str(WINDOWS))
    expect(page.locator(".learning figure").nth(1)).to_have_attribute(
        "data-points", str(WINDOWS + 1)
    )
    marks = page.locator(".learning figure").nth(1).locator(".ends")
    expect(marks).to_have_text(re.compile(r"optimal \d+ %.*taught \d+ %.*guards \d+ %"))
    grown = page.locator(".tells").inner_text()

    slider.press("Home")
    expect(slider).to_have_value("0")
    expect(page.locator(".frame")).to_contain_text("Newborn")
    expect(page.locator(".tells")).not_to_have_text(grown)
    page.get_by_role("button", name="Play its learning as a film").click()
    expect(slider).to_have_value(str(WINDOWS))
    expect(page.get_by_role("button", name="Play its learning as a film")).to_be_visible()
    expect(page.locator(".tells")).to_have_text(grown)

    page.get_by_role("radio", name="What changed").check(force=True)
    expect(page.locator(".signs.changed")).not_to_have_count(0)
    page.get_by_role("button", name="Count changes from here").click()
    expect(page.locator(".signs.changed")).to_have_count(0)
    weights = page.locator(".heat canvas").first
    expect(weights).to_have_attribute("aria-label", re.compile("mean size [1-9]"))
    page.get_by_role("checkbox", name="Show what changed").check()
    expect(weights).to_have_attribute("aria-label", re.compile("changed by 0, at most 0"))
    slider.press("ArrowLeft")
    expect(weights).to_have_attribute("aria-label", re.compile("changed by [1-9]"))


def test_a_state_that_is_missing_or_false_is_not_shown(
    visit: Visit, world: Spectacle, beast: int
) -> None:
    def listed() -> list[dict[str, Any]]:
        answer = visit.page.request.get(
            f"{world.url}/v1/beasts/{beast}/checkpoints", max_retries=RETRIES
        )
        return cast("list[dict[str, Any]]", answer.json()["items"])

    visit.wait_until("the server has read the whole life", lambda: len(listed()) == WINDOWS)
    items = listed()
    lost, forged = items[0]["h128"], items[1]["h128"]

    def altered(route: Route) -> None:
        body = bytearray(route.fetch(max_retries=RETRIES).body())
        at = body.find(bytes.fromhex(forged[2:]))
        if at >= 0:
            body[at + ENTRY - 1] ^= 1
        route.fulfill(body=bytes(body))

    held = [path for path in world.stage.folder.rglob(f"*{lost[2:]}*") if path.is_file()]
    kept: dict[Path, bytes] = {path: path.read_bytes() for path in held}
    assert kept
    visit.page.context.route("**/v1/states?*", altered)
    for path in kept:
        path.unlink()
    try:
        visit.go(f"#/beasts/{beast}")
        expect(visit.page.locator(".bars [data-held=absent]")).to_have_count(2)
        whole_film(visit.page, WINDOWS - 1)
        veil = visit.page.locator(".absence")
        expect(veil).to_contain_text(f"window {items[0]['index']} cannot be shown")
        expect(visit.page.locator(".signs:not(.none)")).to_have_count(0)
        visit.page.get_by_role("slider", name="Window").press("ArrowLeft")
        expect(veil).to_contain_text(f"the chain names {forged}")
        visit.page.get_by_role("slider", name="Window").press("ArrowLeft")
        expect(veil).to_be_hidden()
    finally:
        for path, data in kept.items():
            path.write_bytes(data)


def test_a_state_that_comes_late_is_asked_for_again(visit: Visit, beast: int) -> None:
    """What a place of snapshots did not give in time is neither told as absent nor left out."""
    asked: list[Route] = []

    def slow(route: Route) -> None:
        asked.append(route)
        if len(asked) <= 2:  # the first state alone, then several
            route.fulfill(status=200, body=b"", headers={"Retry-After": "5"})
        else:
            route.continue_()

    visit.page.context.route("**/v1/states?*", slow)
    visit.go(f"#/beasts/{beast}")
    whole_film(visit.page)
    assert len(asked) > 2


def test_a_server_that_is_busy_is_asked_for_the_tables_again(visit: Visit, beast: int) -> None:
    """Without them, no brain is shown for as long as one stays."""
    visit.bears("status of 503")
    asked: list[Route] = []

    def busy(route: Route) -> None:
        asked.append(route)
        if len(asked) == 2:  # the view's own, then the one of the worker beside it
            route.fulfill(status=503, json={})
        else:
            route.continue_()

    visit.page.context.route("**/kernel/tables.json", busy)
    visit.go(f"#/beasts/{beast}")
    whole_film(visit.page)
    assert len(asked) >= 3


def test_who_leaves_takes_everything_along(visit: Visit, beast: int) -> None:
    """Workers end, and visits do not pile up; the browser may keep the last one for a while."""
    page = visit.page
    session = page.context.new_cdp_session(page)

    def nodes() -> int:
        collect_garbage(session)
        return int(session.send("Memory.getDOMCounters")["nodes"])

    during, after = [], []
    for _ in range(VISITS):
        visit.go(f"#/beasts/{beast}")
        whole_film(page)
        expect(page.locator(".learning canvas")).to_have_count(2)
        # One that a view just left behind, drawn anew by news, may take a moment to end.
        visit.wait_until("there is one worker", lambda: len(page.workers) == 1)
        during.append(nodes())
        visit.go("#/season")
        visit.wait_until("the worker has ended", lambda: not page.workers)
        # A frame of the left view may still be on its way.
        visit.wait_until("the view has gone", lambda: during[-1] - nodes() > 1_000)
        after.append(nodes())
    one = during[0] - after[0]
    assert after[-1] - after[0] < 2 * one, (during, after)
