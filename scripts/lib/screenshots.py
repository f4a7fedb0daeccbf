"""Pictures of every view of the page, over a world played for them."""

from __future__ import annotations

import argparse
import io
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from PIL import Image
from playwright.sync_api import Browser, Page

from chainbeasts.backend.cli.output import stderr
from scripts.lib.chromium import ABSENT, chromium, find_chromium
from scripts.lib.spectacle import Spectacle, patient_profile
from scripts.lib.stage import Stage, StageError

ROOT = Path(__file__).resolve().parents[2]
DATASET = ROOT / "examples" / "battle_samples.csv"
SHOWN_MS = 1_200
"""For what moves into its place after a view is drawn."""

LIVE_MS = 30_000
COLOURS, ROUNDS = 256, 4
"""Of a picture's palette, and how often it is bettered."""

ABOVE_PX = 12


@dataclass(frozen=True)
class Look:
    """How a picture is taken."""

    name: str
    width: int
    height: int
    scheme: Literal["light", "dark"]


LOOKS = (
    Look("light", 1180, 900, "light"),
    Look("dark", 1180, 900, "dark"),
    Look("phone", 390, 844, "light"),
)


@dataclass(frozen=True)
class World:
    """What there is to be seen."""

    hero: int
    rival: int
    owner: str
    battle: int
    turn: int
    dispute: int

    def views(self) -> Iterator[tuple[str, str]]:
        """Every view's name and address."""
        yield "home", "#/"
        yield "beasts", "#/beasts"
        yield "beast", f"#/beasts/{self.hero}"
        yield "battles", "#/battles"
        yield "battle", f"#/battles/{self.battle}?turn={self.turn}"
        yield "disputes", "#/disputes"
        yield "dispute", f"#/disputes/{self.dispute}"
        yield "leaderboard", "#/leaderboard"
        yield "season", "#/season"
        yield "compare", f"#/compare/{self.hero},{self.rival}"
        yield "account", f"#/accounts/{self.owner}"


@dataclass(frozen=True)
class Played:
    """What came of the world: the beast to show and one to compare it with, its owner's matches."""

    world: Spectacle
    hero: int
    rival: int
    matches: list[int]


def play(stage: Stage) -> Played:
    """Beasts that learned, matches, a lie and its end, a proposal, a trainer that trains on."""
    world = Spectacle(stage)
    world.open()
    owner, rival = world.owner, world.rival
    hero, other, foe, liar = (world.hatch(player) for player in (owner, owner, rival, rival))
    recluse = world.hatch(owner, "--dataset", DATASET)
    for player, beast, source in ((owner, hero, "curriculum"), (rival, foe, "self-play")):
        world.train(player, beast, 64, "--source", "curriculum")
        world.train(player, beast, 64, "--source", source)
    world.train(owner, other, 64)
    world.train(owner, recluse, 8)
    stderr.print("the beasts have learned")
    world.settle((owner, hero), (owner, other), (owner, recluse), (rival, foe))
    fights = [world.fight(beast, foe) for beast in (hero, other, hero, other)]
    world.finish(*fights[:-1])
    stderr.print("the beasts have fought")
    world.train(owner, recluse, 4, "--source", "private")
    world.train(rival, liar)
    world.cheat(liar)
    world.train(rival, liar, 2)
    world.justice()
    stage.wait("the lie is slashed", lambda: _slashed(world, liar))
    stage.host.do("season", "propose", "--set", "block_gain=40", "--set", "crit_odds=12")
    stderr.print("the liar has been slashed")
    owner.start("trainer", "trainer", "run", hero, "--forever")
    return Played(world, hero, foe, fights)


def _slashed(world: Spectacle, beast: int) -> bool:
    rows = world.rival.do("checkpoint", "list", beast, "--all")
    return any(row["status"] == "slashed" for row in rows)


def settled(page: Page, url: str) -> None:
    """Open a view and wait until nothing moves into its place any more."""
    page.goto(url)
    page.wait_for_selector("main .view:not([aria-busy])")
    if page.locator(".lamp").count():
        page.wait_for_selector(".lamp[data-state=live]", timeout=LIVE_MS)
        page.locator(".bars [data-held=no]").first.wait_for(state="detached", timeout=LIVE_MS)
    seal = page.locator("#seal")
    if seal.count():
        top = seal.evaluate("e => e.getBoundingClientRect().top")
        page.evaluate("y => window.scrollTo(0, y)", top - ABOVE_PX)
    page.wait_for_timeout(SHOWN_MS)


def most_eventful(browser: Browser, url: str, matches: Sequence[int]) -> tuple[int, int]:
    """The match with the most attacks, and a turn in the midst of them."""
    found = []
    page = browser.new_page()
    for match in matches:
        settled(page, f"{url}/#/battles/{match}")
        kinds = page.locator(".ticks i").evaluate_all("all => all.map(i => i.className)")
        hits = [turn for turn, kind in enumerate(kinds) if "attack" in kind]
        critical = [turn for turn in hits if "critical" in kinds[turn]]
        turns = critical or hits or [0]
        found.append((len(hits), match, turns[len(turns) // 2]))
    page.close()
    return max(found)[1:]


def take(browser: Browser, url: str, world: World, folder: Path) -> None:
    """Every view in every look."""
    for look in LOOKS:
        context = browser.new_context(
            viewport={"width": look.width, "height": look.height}, color_scheme=look.scheme
        )
        page = context.new_page()
        for name, address in world.views():
            settled(page, f"{url}/{address}")
            path = folder / f"page-{name}-{look.name}.png"
            shot = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
            shot.quantize(COLOURS, kmeans=ROUNDS).save(path, optimize=True)
        context.close()


def main() -> int:
    """Play the world and take the pictures; the exit code."""
    parser = argparse.ArgumentParser(prog="scripts/screenshots", description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "images", metavar="FOLDER")
    folder: Path = parser.parse_args().out
    executable = find_chromium()
    if executable is None:
        stderr.print(ABSENT)
        return 1
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory() as scratch, Stage(Path(scratch) / "stage") as stage:
            stage.deploy(patient_profile(Path(scratch)))
            played = play(stage)
            with chromium(executable) as browser:
                url = played.world.url
                match, turn = most_eventful(browser, url, played.matches)
                world = World(played.hero, played.rival, played.world.owner.address, match, turn, 1)
                take(browser, url, world, folder)
    except StageError as error:
        stderr.print(str(error), markup=False)
        return 1
    total = sum(path.stat().st_size for path in folder.glob("page-*.png"))
    stderr.print(f"{len(LOOKS)} looks of every view, {total / 1e6:.2f} MB, in {folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
