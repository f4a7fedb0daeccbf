"""``scripts/soak``: one soak, and what came of it."""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import time
from pathlib import Path

from chainbeasts.backend.cli.output import print_json, stderr, stdout, table
from scripts.lib.deadlines import Deadlines
from scripts.lib.soak.run import Soak, SoakReport
from scripts.lib.soak.usage import MIB
from scripts.lib.stage import Stage, StageError

MINUTES = 30.0
LEAST_MINUTES = 3.0
SHORT = Deadlines(challenge_period=120, response_window=60, proof_window=60)
"""The whole lives of windows and disputes pass in a soak."""

IN_MIB = ("memory", "disk", "database", "log")


def show(report: SoakReport) -> None:
    """The table of what everybody took, and grew by after warming up."""
    rows = []
    for one in report.daemons:
        last, growth = one["last"], one["growth"]
        sizes = (f"{last[kind] / MIB:,.1f} ({growth[kind] / MIB:+,.1f})" for kind in IN_MIB)
        rows.append((one["daemon"], *sizes, f"{last['files']} ({growth['files']:+})"))
    title = f"Soak of {report.minutes:g} minutes and {report.windows} windows: size (growth)"
    columns = ("daemon", *(f"{kind}, MiB" for kind in IN_MIB), "open files")
    stdout.print(table(title, columns, rows))
    troubles = [f"{count} {name}" for name, count in report.troubles.items() if name != "none"]
    stdout.print(f"answers: {', '.join(troubles)}; training runs started again: {report.restarts}")
    for fault in report.faults or ["faults: none"]:
        stdout.print(fault, markup=False)


def interrupt(number: int, frame: object) -> None:
    """SIGTERM ends a run as Ctrl-C does: with everybody whom it started."""
    raise KeyboardInterrupt


def main() -> int:
    """Soak; 1 if something grew beyond its bound, ended, or did not come into step."""
    parser = argparse.ArgumentParser(
        prog="scripts/soak",
        description="A trainer, a defender, a validator and the API behind nodes that give bad "
        "answers: what they take of memory, open files and disk, and grow by.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="examples:\n  scripts/soak\n  scripts/soak --minutes 10 --json --keep soak",
    )
    parser.add_argument("--minutes", type=float, default=MINUTES, help="(%(default)g)")
    parser.add_argument("--seed", type=int, default=0, help="of the troubles (%(default)d)")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep homes and logs there")
    options = parser.parse_args()
    if options.minutes < LEAST_MINUTES:
        parser.error(f"--minutes must be {LEAST_MINUTES:g} at least")
    signal.signal(signal.SIGTERM, interrupt)
    begun = time.monotonic()

    def say(text: str) -> None:
        stderr.print(f"[{time.monotonic() - begun:6.1f} s] {text}", markup=False, highlight=False)

    with tempfile.TemporaryDirectory(prefix="chainbeasts-soak-") as scratch:
        folder = options.keep or Path(scratch) / "stage"
        try:
            with Stage(folder) as stage:
                stage.deploy(str(SHORT.profile(folder)))
                report = Soak(stage, say, seed=options.seed).run(options.minutes)
                if options.json:
                    print_json(report.facts())
                else:
                    show(report)
        except StageError as error:
            stderr.print(f"Error: {error}", style="bold red", markup=False)
            return 1
        except FileExistsError:
            stderr.print(f"Error: {folder} exists already. Give --keep a new folder.")
            return 1
        except KeyboardInterrupt:
            stderr.print("Stopped.")
            return 130
    return 1 if report.faults else 0


if __name__ == "__main__":
    sys.exit(main())
