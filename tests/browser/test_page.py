"""What people see: each test is a chapter of one world's story, in this order."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import expect

from scripts.lib.spectacle import Spectacle
from tests.browser.conftest import Visit

FIRST_LOAD_BYTES = 300_000
VIEWS = ("beasts", "battles", "disputes", "leaderboard", "season")
KEY_BYTES = 32


@pytest.fixture(scope="module")
def beasts(world: Spectacle) -> tuple[int, int]:
    """A beast of the owner's and one of the rival's."""
    return world.hatch(world.owner), world.hatch(world.rival)


@pytest.fixture(scope="module")
def battle(world: Spectacle, beasts: tuple[int, int]) -> int:
    """A recorded match of the two, with trained states."""
    ours, theirs = beasts
    world.train(world.owner, ours, 2)
    world.train(world.rival, theirs, 2)
    world.settle((world.owner, ours), (world.rival, theirs))
    return world.fight(ours, theirs)


def test_an_empty_chain_says_what_to_do(visit: Visit) -> None:
    for view, command in (
        ("beasts", "chainbeasts beast hatch"),
        ("battles", "chainbeasts battle challenge"),
        ("disputes", "chainbeasts validator run"),
        ("leaderboard", "chainbeasts battle record"),
        ("season", "chainbeasts season pending"),
    ):
        visit.go(f"#/{view}")
        expect(visit.page.locator(".notice")).to_contain_text(command)


def test_first_load_is_small_and_says_how_the_chain_stands(
    visit: Visit, beasts: tuple[int, int]
) -> None:
    sizes: list[int] = []
    visit.page.on("requestfinished", lambda r: sizes.append(r.sizes()["responseBodySize"]))
    whole: list[int] = []
    visit.page.on("response", lambda r: whole.append(len(r.body())))
    visit.go("")
    expect(visit.page.locator(".plate")).to_have_count(len(beasts))
    expect(visit.page.locator("#status")).to_contain_text("in step with the chain")
    visit.page.wait_for_load_state("networkidle")
    print(f"first load: {sum(sizes)} bytes sent, {sum(whole)} unpacked, {len(whole)} answers")
    assert 0 < sum(whole) < FIRST_LOAD_BYTES


def test_portraits_have_the_eyes_of_their_beasts(visit: Visit, world: Spectacle) -> None:
    visit.go("#/beasts")
    shown = visit.page.locator(".plate").first.locator("svg circle")
    svg = visit.page.request.get(f"{world.url}/v1/beasts/1/portrait.svg").text()
    expect(shown).to_have_count(svg.count("<circle"))


def test_curves_move_while_a_trainer_runs(
    visit: Visit, world: Spectacle, beasts: tuple[int, int], battle: int
) -> None:
    visit.go(f"#/beasts/{beasts[0]}")
    losses = visit.page.locator(".learning figure").first
    expect(losses).to_have_attribute("data-points", "2")
    world.train(world.owner, beasts[0], 3)
    expect(visit.page.locator(".lamp")).to_have_text("live")
    expect(losses).to_have_attribute("data-points", "5")
    expect(losses.locator("canvas")).to_be_visible()
    expect(visit.page.locator(".spine .bead")).to_have_count(5)
    expect(visit.page.locator(".windows .chip.pending")).to_have_count(3)


def test_a_battle_is_verified_and_played(visit: Visit, battle: int) -> None:
    visit.go("#/battles")
    visit.page.get_by_role("link", name=re.compile(f"match {battle}$")).click()
    seal = visit.page.locator("#seal")
    expect(seal).to_have_attribute("data-verdict", "verified")
    expect(seal.locator(".checks li")).to_have_count(6)
    expect(visit.page.locator(".logits .chosen")).to_have_count(1)

    scrub = visit.page.get_by_role("slider", name="Turn")
    visit.page.keyboard.press("ArrowRight")
    expect(scrub).to_have_value("1")
    assert visit.page.url.endswith(f"#/battles/{battle}?turn=1")
    visit.page.reload()
    expect(scrub).to_have_value("1")
    visit.page.get_by_role("button", name="One turn back").click()
    expect(scrub).to_have_value("0")

    visit.page.get_by_role("button", name="Speed").click()
    visit.page.get_by_role("button", name="Play", exact=True).click()
    expect(scrub).not_to_have_value("0")
    visit.page.get_by_role("button", name="Pause").click()
    last = str(scrub.get_attribute("max"))
    scrub.fill(last)
    expect(visit.page.locator("#story")).to_have_text(re.compile(r"wins after|draw after"))


@contextmanager
def tampered(database: Path, statement: str, before: str, *values: object) -> Iterator[None]:
    """The server's database says something else than the chain for a while."""
    with sqlite3.connect(database, timeout=30) as connection:
        table, column, where = re.search(r"UPDATE (\w+) SET (\w+) = \? (WHERE.*)", statement).groups()  # type: ignore[union-attr]
        del before
        (old,) = connection.execute(f"SELECT {column} FROM {table} {where}").fetchone()
        connection.execute(statement, values)
    try:
        yield
    finally:
        with sqlite3.connect(database, timeout=30) as connection:
            connection.execute(statement, (old,))


