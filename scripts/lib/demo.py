"""The whole story on a real local chain: hatch, train, finalize, cheat, dispute, prove, slash.

Three stories: honest training, a public lie that is proved, and a private one that a stranger finds
who has nothing but a node: what it was computed from has to be opened, and there is nothing.

Every actor is a process with an account and a home of its own; nothing is simulated.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from chainbeasts.backend.cli.output import energy, print_json, stderr, stdout, table
from scripts.lib.deadlines import Deadlines
from scripts.lib.stage import Player, Stage, StageError

ROOT = Path(__file__).resolve().parents[2]
DATASET = ROOT / "examples" / "battle_samples.csv"
LIE_STEP = 77
SEGMENT_STEPS = 8
UNHURRIED = Deadlines(challenge_period=60, response_window=40, proof_window=40, disproof_period=60)
"""The devnet's season, with time to answer also for a busy machine."""

FUNDS = 100


class Demo:
    """Plays the story and keeps what there is to tell."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.started = time.monotonic()
        self.gas: dict[str, int] = {}

    def say(self, text: str) -> None:
        """One line of progress."""
        stderr.print(f"[bold cyan]{time.monotonic() - self.started:6.1f} s[/]  {text}")

    def expect(self, holds: bool, what: str) -> None:
        """Make sure of something.

        Raises:
            StageError: it does not hold.
        """
        if not holds:
            raise StageError(f"This was expected and is not so: {what}.")

    def run(self) -> dict[str, Any]:
        """Play it all; what happened."""
        self.say("Anvil runs; deploying the contracts")
        self.stage.deploy(str(UNHURRIED.profile(self.stage.folder)))
        self.owner = self.stage.enter("owner", 1, FUNDS)
        self.cheater = self.stage.enter("cheater", 2, FUNDS)
        self.validator = self.stage.enter("validator", 3, FUNDS)
        self.impostor = self.stage.enter("impostor", 4, FUNDS)
        players = (self.owner, self.cheater, self.validator, self.impostor)
        before = self.wealths(players)
        # No private window is opened at random here, so that each dispute has its reason.
        watch = ("--strategy", "cheap", "--open-rate", 0)
        self.validator.start("validator", "validator", "run", *watch)
        self.say("a validator follows the chain (its own process, its own database)")
        # At the same time, since a deadline of either goes by while the other's passes.
        with ThreadPoolExecutor(1) as aside:
            inventing = aside.submit(self.inventing)
            honest = self.honest_training()
            invented = inventing.result()
        lie = self.cheating()
        verdict = self.justice(lie)
        opened = self.opening(invented)
        final = self.finality(honest)
        after = self.wealths(players)
        return {
            "chain": {"rpc_url": self.stage.rpc_url, "seconds": time.monotonic() - self.started},
            "balances": {name: {"before": before[name], "after": after[name]} for name in before},
            "gas": self.gas,
            "honest": final,
            "cheat": verdict,
            "invented": opened,
        }

    def wealths(self, players: Sequence[Player]) -> dict[str, int]:
        """What each player owns, by name; all are asked at once."""
        with ThreadPoolExecutor(len(players)) as pool:
            found = pool.map(self.wealth, players)
            return {player.name: wei for player, wei in zip(players, found, strict=True)}

    def wealth(self, player: Player) -> int:
        """Wei of ENERGY that a player owns, in wallet and escrow."""
        shown = player.do("energy", "balance")
        return int(shown["balance"]) + int(shown["escrow"])

    # --- the acts -------------------------------------------------------------------------------

    def honest_training(self) -> int:
        """An owner hatches a beast with a private dataset and trains four windows."""
        hatched = self.owner.do("beast", "hatch", "--yes", "--dataset", DATASET)
        beast = int(hatched["beast"])
        self.say(f"the owner hatched beast {beast} with {DATASET.name} committed")
        self.owner.start("defender", "trainer", "defend")
        plan = (("curriculum", 2), ("self-play", 1), ("private", 1))
        for source, windows in plan:
            made = self.owner.do("trainer", "run", beast, "--windows", windows, "--source", source)
            self.gas[f"submit ({source})"] = int(made[-1]["gas"])
            self.say(f"trained and submitted {windows} × 128 micro-steps of {source}")
        return beast

    def cheating(self) -> dict[str, Any]:
        """Somebody changes one weight in one micro-step, and builds on it."""
        beast = int(self.cheater.do("beast", "hatch", "--yes")["beast"])
        self.cheater.do("trainer", "run", beast)
        lie: dict[str, Any] = self.cheater.do(
            "trainer", "drill", "weight", beast, "--step", LIE_STEP
        )
        self.cheater.do("trainer", "run", beast)
        self.cheater.start("defender", "trainer", "defend")
        self.say(f"beast {beast}, window 1: {lie['lie']}; window 2 builds on it; its trainer lies")
        return lie

    def inventing(self) -> dict[str, Any]:
        """Somebody hatches with four random hashes, and enters a brain as one private window."""
        told: dict[str, Any] = self.impostor.do("trainer", "drill", "invented")
        self.say(
            f"beast {told['beast']} hatched with commitments to nothing; its only window is "
            "private, so nobody can replay it"
        )
        return told

    def opening(self, told: dict[str, Any]) -> dict[str, Any]:
        """The stranger asks for what the window was computed from; nobody has it."""
        beast, index = int(told["beast"]), int(told["checkpoint"])

        def slashed() -> Any:
            disputes = self.validator.do("dispute", "list", "--all")
            of = [row for row in disputes if int(row["beast"]) == beast]
            return of if of and of[-1]["status"] == "upheld" else None

        (dispute,) = self.stage.wait("the invented window is slashed", slashed)
        self.expect(dispute["conviction"] == "timeout", "nothing of it could be opened")
        self.say(f"beast {beast}: its records were due and do not exist; slashed by a stranger")
        return {"beast": beast, "checkpoint": index, "conviction": dispute["conviction"]}

    def justice(self, lie: dict[str, Any]) -> dict[str, Any]:
        """The validator finds the step, proves it to the court, and collects."""
        beast, index = int(lie["beast"]), int(lie["checkpoint"])

        def slashed() -> Any:
            rows = self.cheater.do("checkpoint", "list", beast, "--all")
            return rows if any(row["status"] == "slashed" for row in rows) else None

        rows = self.stage.wait("the wrong window is slashed", slashed)
        status = {int(row["checkpoint"]): row["status"] for row in rows}
        self.expect(status[index] == "slashed", "the wrong window is the slashed one")
        self.expect(status[index + 1] == "void", "the window built on it fell with it")
        self.expect(status[index - 1] in ("pending", "final"), "the honest window stands")
        for move in self.validator.events("validator", "move made"):
            self.gas[str(move["action"])] = int(move["gas"])
        for move in self.cheater.events("defender", "answered"):
            self.gas[str(move["kind"])] = int(move["gas"])
        everything = self.validator.do("dispute", "list", "--all")
        disputes = [row for row in everything if int(row["beast"]) == beast]
        self.expect(len(disputes) == 1, "one dispute was filed over the wrong window's beast")
        found = self.validator.do("dispute", "explain", disputes[0]["dispute"])
        self.expect(found["segment"] == LIE_STEP // SEGMENT_STEPS, "the lie's segment was found")
        self.say(f"slashed: segment {found['segment']} was wrong; {cause_of(found)}")
        return {
            "beast": beast,
            "checkpoint": index,
            "told": {"step": LIE_STEP, "lie": lie["lie"]},
            "found": found,
            "conviction": disputes[0]["conviction"],
            "statuses": status,
        }

    def finality(self, beast: int) -> dict[str, Any]:
        """Nobody disputes the honest windows: they become final."""
        self.say("waiting for the challenge period of the honest windows to end")

        def final() -> Any:
            rows = self.owner.do("checkpoint", "list", beast)
            return rows if all(row["status"] == "final" for row in rows) else None

        rows = self.stage.wait("the honest windows are final", final)
        for move in self.owner.events("defender", "finalized"):
            self.gas["finalize"] = int(move["gas"])
        verdicts = [
            {"windows": int(e.get("windows", 1)), "verdict": e["verdict"]}
            for e in self.validator.events("validator", "judged")
            if e.get("beast", beast) == beast  # right windows are told by their number
        ]
        self.expect(
            {verdict["verdict"] for verdict in verdicts} == {"valid"}, "all verdicts are valid"
        )
        disputes = self.validator.do("dispute", "list", "--all")
        self.expect(
            all(int(row["beast"]) != beast for row in disputes), "no honest window was disputed"
        )
        self.say(f"beast {beast}: {len(rows)} checkpoints final")
        return {"beast": beast, "final": len(rows), "verdicts": verdicts}


def cause_of(found: dict[str, Any]) -> str:
    """What `dispute explain` found, in a sentence."""
    cause = found["cause"]
    if cause is None:
        most = found["differs_most"]
        return f"at the window's end {most['name']} differs most, by {most['by']}"
    steps = f"step {cause['step']}"
    if cause["last_step"] != cause["step"]:
        steps = f"one of steps {cause['step']} to {cause['last_step']}"
    return f"after {steps}, {cause['what']} (head: {cause['head']})"


def show(told: dict[str, Any]) -> None:
    """The table of what happened."""
    cheat, honest, found = told["cheat"], told["honest"], told["cheat"]["found"]
    rows = [
        ("honest beast", f"{honest['final']} checkpoints final, no dispute"),
        ("wrong window", f"beast {cheat['beast']}, checkpoint {cheat['checkpoint']}"),
        ("the lie", cheat["told"]["lie"]),
        ("found", f"segment {found['segment']}, steps {found['steps']}"),
        ("explained", cause_of(found)),
        ("verdict", f"slashed by {cheat['conviction']}; the window built on it is void"),
        (
            "invented window",
            f"beast {told['invented']['beast']}: nothing could be opened; slashed by "
            f"{told['invented']['conviction']}, found by a stranger",
        ),
    ]
    for name, wealth in told["balances"].items():
        change = wealth["after"] - wealth["before"]
        sign = "+" if change >= 0 else ""
        rows.append((f"{name}'s ENERGY", f"{energy(wealth['after'])} ({sign}{energy(change)})"))
    rows += [(f"gas: {name}", f"{gas:,}") for name, gas in told["gas"].items()]
    rows.append(("took", f"{told['chain']['seconds']:.0f} s"))
    stdout.print(table("What happened", ("", ""), rows))


def main() -> int:
    """Play the demonstration; the exit code."""
    parser = argparse.ArgumentParser(
        prog="scripts/demo",
        description="Set-up, then the whole story on a real local chain, in about two minutes.",
    )
    parser.add_argument("--json", action="store_true", help="print what happened as JSON")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep homes and logs there")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="chainbeasts-demo-") as scratch:
        folder = options.keep or Path(scratch) / "stage"
        try:
            with Stage(folder) as stage:
                told = Demo(stage).run()
        except StageError as error:
            stderr.print(f"Error: {error}", style="bold red", markup=False)
            return 1
        except FileExistsError:
            stderr.print(f"Error: {folder} exists already. Give --keep a new folder.")
            return 1
        except KeyboardInterrupt:
            stderr.print("Stopped.")
            return 130
    if options.json:
        print_json(told)
    else:
        show(told)
    return 0


if __name__ == "__main__":
    sys.exit(main())
