"""Pictures of every view of the page, light, dark and on a phone, over a world played for them."""

from __future__ import annotations

import argparse
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from chainbeasts.backend.cli.output import stderr
from scripts.lib.chromium import ABSENT, chromium, find_chromium
from scripts.lib.pictures import take
from scripts.lib.showcase import Showcase, play
from scripts.lib.spectacle import patient_profile
from scripts.lib.stage import Stage, StageError

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "build" / "pictures"
IMAGES = ROOT / "docs" / "images"
NAMED = re.compile(r"images/(page-[a-z]+-[a-z]+\.png)")


def used() -> set[str]:
    """The pictures that the README and the guides show."""
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    return {name for page in pages for name in NAMED.findall(page.read_text("utf-8"))}


def renew(taken: Sequence[Path]) -> None:
    """Put the pictures that are shown in their place, and take away those that are not any more."""
    shown = used()
    for path in taken:
        if path.name in shown:
            shutil.copy(path, IMAGES)
    for path in IMAGES.glob("page-*.png"):
        if path.name not in shown:
            path.unlink()


@contextmanager
def played() -> Iterator[Showcase]:
    """A world of its own, as long as it is looked at."""
    with tempfile.TemporaryDirectory() as scratch, Stage(Path(scratch) / "stage") as stage:
        stage.deploy(patient_profile(Path(scratch)))
        yield play(stage)


@contextmanager
def kept(path: Path) -> Iterator[Showcase]:
    """A world that runs already."""
    yield Showcase.found(path)


def hold(world: Showcase, path: Path) -> None:
    """Keep the world running until somebody has seen enough of it."""
    stderr.print(f"The page: {world.url}, with a wallet: {world.desk}")
    stderr.print(f"Other pictures of it: scripts/screenshots --world {path}")
    input("Enter ends it. ")


def main() -> int:
    """Play the world and take the pictures; the exit code."""
    parser = argparse.ArgumentParser(prog="scripts/screenshots", description=__doc__)
    add = parser.add_argument
    add("--out", type=Path, default=FOLDER, metavar="FOLDER", help="where all of them go")
    add("--only", nargs="+", default=[], metavar="VIEW", help="these views alone")
    add("--whole", action="store_true", help="whole views, not what a screen shows first")
    add("--docs", action="store_true", help="renew those in docs/images that a text shows")
    add("--hold", type=Path, metavar="FILE", help="keep the world running; FILE says where it is")
    add("--world", type=Path, metavar="FILE", help="take pictures of a world that is held")
    given = parser.parse_args()
    executable = find_chromium()
    if executable is None:
        stderr.print(ABSENT)
        return 1
    given.out.mkdir(parents=True, exist_ok=True)
    try:
        with kept(given.world) if given.world else played() as world:
            if given.hold:
                world.keep(given.hold)  # first: should a picture fail, it can be taken again
            with chromium(executable) as browser:
                taken = list(take(browser, world, given.out, given.only, given.whole))
            if given.hold:
                hold(world, given.hold)
    except StageError as error:
        stderr.print(str(error), markup=False)
        return 1
    total = sum(path.stat().st_size for path in taken)
    stderr.print(f"{len(taken)} pictures, {total / 1e6:.2f} MB, in {given.out}")
    if given.docs:
        renew(taken)
    return 0


if __name__ == "__main__":
    sys.exit(main())
