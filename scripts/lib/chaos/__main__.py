"""``scripts/chaos``: one run from a seed, and what came of it."""

from __future__ import annotations

import argparse
import random
import signal
import sys
import tempfile
import time
from pathlib import Path

from chainbeasts.backend.cli.output import print_json, stderr, stdout, table
from scripts.lib.chaos.play import Chaos, Report
from scripts.lib.chaos.schedule import draw
from scripts.lib.deadlines import PATIENT
from scripts.lib.stage import Stage, StageError

MAX_SECONDS = 180.0
LIMIT = 300.0


def show(report: Report) -> None:
    """The table of what happened."""
    rows = [("seed", str(report.seed)), ("blocks", f"{report.blocks:,}")]
    rows += [(f"windows {found}", str(number)) for found, number in report.windows.items()]
    rows += [(f"disputes {found}", str(number)) for found, number in report.disputes.items()]
    rows += [("fault", fault) for fault in report.faults] or [("faults", "none")]
    stdout.print(table("Chaos", ("", ""), rows))


def interrupt(number: int, frame: object) -> None:
    """SIGTERM ends a run as Ctrl-C does: with everybody whom it started."""
    raise KeyboardInterrupt


def main() -> int:
    """Play a run; 1 if the audit finds a fault or something did not end."""
    parser = argparse.ArgumentParser(
        prog="scripts/chaos",
        description="Honest and dishonest trainers, three validators, reorgs, node restarts, bad "
        "answers and kills, then an audit of the chain.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="examples:\n  scripts/chaos\n  scripts/chaos --seed 7 --seconds 120 --keep run7",
    )
    parser.add_argument("--seed", type=int, help="what happens and when; drawn if not given")
    parser.add_argument("--seconds", type=float, default=120.0, help="of trouble (%(default)g)")
    parser.add_argument(
        "--limit", type=float, default=LIMIT, help="seconds until it gives up (%(default)g)"
    )
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep homes and logs there")
    options = parser.parse_args()
    if not 5 <= options.seconds <= MAX_SECONDS:
        parser.error(f"--seconds must be 5 to {MAX_SECONDS:g}")
    signal.signal(signal.SIGTERM, interrupt)
    seed = random.randrange(1 << 32) if options.seed is None else options.seed
    begun = time.monotonic()

    def say(text: str) -> None:
        stderr.print(f"[{time.monotonic() - begun:6.1f} s] {text}", markup=False, highlight=False)

    say(f"seed {seed}")
    with tempfile.TemporaryDirectory(prefix="chainbeasts-chaos-") as scratch:
        folder = options.keep or Path(scratch) / "stage"
        try:
            with Stage(folder) as stage:
                stage.deploy(str(PATIENT.profile(folder)))
                chaos = Chaos(stage, PATIENT, say)
                try:
                    acts = draw(seed, options.seconds)
                    report = chaos.run(seed, options.seconds, acts, begun + options.limit)
                finally:
                    chaos.cast.close()
        except StageError as error:
            stderr.print(f"Error: {error}", style="bold red", markup=False)
            stderr.print(f"The same again: scripts/chaos --seed {seed}")
            return 1
        except FileExistsError:
            stderr.print(f"Error: {folder} exists already. Give --keep a new folder.")
            return 1
        except KeyboardInterrupt:
            stderr.print("Stopped.")
            return 130
    if options.json:
        print_json(report.facts())
    else:
        show(report)
    return 1 if report.faults else 0


if __name__ == "__main__":
    sys.exit(main())
