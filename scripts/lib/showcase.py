"""The world of the page's pictures: something in every view, and something under way."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from chainbeasts.backend.chain.anvil import DEVNET_CHAIN_ID
from chainbeasts.backend.cli.output import stderr
from scripts.lib.spectacle import Spectacle
from scripts.lib.stage import Stage

DATASET = Path(__file__).resolve().parents[2] / "examples" / "battle_samples.csv"
LIFE = 64
"""Windows of a beast's first lesson: enough for all three heads to have learned something."""

AMPLE = 100_000
"""ENERGY, for a trainer that trains as long as pictures are taken."""


@dataclass(frozen=True)
class Showcase:
    """Where what is to be seen is.

    Attributes:
        url: of the page.
        desk: of the same page, served by one that lets its readers act.
        rpc_url: of the node behind a reader's wallet.
        matches: recorded ones, of which the most eventful is shown.
        premiere: a match that is agreed on and that nobody has recorded.
        proven: a dispute that ended with a slash.
        open: one in which the filer has to move.
        bundle: the open dispute's evidence.
    """

    url: str
    desk: str
    rpc_url: str
    chain_id: int
    owner: str
    hero: int
    rival: int
    matches: tuple[int, ...]
    premiere: int
    proven: int
    open: int
    bundle: str

    def keep(self, path: Path) -> None:
        """Write it down, for whoever takes pictures of the running world later."""
        path.write_text(json.dumps(asdict(self), indent=2) + "\n", "utf-8")

    @classmethod
    def found(cls, path: Path) -> Showcase:
        """What `keep` wrote."""
        return cls(**json.loads(path.read_text("utf-8")))

    def views(self, match: int, turn: int) -> Iterator[tuple[str, str]]:
        """Every view that needs no more than its address: name and address."""
        yield "home", "#/"
        yield "beasts", "#/beasts"
        yield "search", "#/beasts?q=nobody&sort=windows"
        yield "battles", "#/battles"
        yield "battle", f"#/battles/{match}?turn={turn}"
        yield "premiere", f"#/battles/{self.premiere}"
        yield "disputes", "#/disputes"
        yield "leaderboard", "#/leaderboard"
        yield "season", "#/season"
        yield "account", f"#/accounts/{self.owner}"
        yield "nothing", "#/nowhere"


def play(stage: Stage) -> Showcase:
    """Beasts that learned, matches, a slashed lie and one on trial, a trainer that trains on."""
    world = Spectacle(stage)
    url = world.open()
    owner, rival = world.owner, world.rival
    hero, other, foe, liar = (world.hatch(player) for player in (owner, owner, rival, rival))
    recluse = world.hatch(owner, "--dataset", DATASET)
    accused = world.hatch(
        rival
    )  # not the liar's: its slashed stake binds it until a window is final
    for player, beast, source in ((owner, hero, "curriculum"), (rival, foe, "self-play")):
        world.train(player, beast, LIFE, "--source", "curriculum")
        world.train(player, beast, LIFE, "--source", source)
    world.train(owner, other, LIFE)
    world.train(owner, recluse, 8)
    stderr.print("the beasts have learned")
    world.settle((owner, hero), (owner, other), (owner, recluse), (rival, foe))
    fights = [world.fight(beast, foe) for beast in (hero, other, hero, other)]
    world.finish(*fights[:-1])
    stderr.print("the beasts have fought")
    world.train(owner, recluse, 4, "--source", "private")
    proven = _slashed(world, liar)
    stderr.print("the liar has been slashed")
    trial = _on_trial(world, accused)
    bundle = stage.folder / "evidence.zip"
    world.validator.do("dispute", "bundle", trial, "-o", bundle)
    stage.host.do("season", "propose", "--set", "block_gain=40", "--set", "crit_odds=12")
    premiere = int(owner.do("battle", "challenge", hero, foe, "--yes")["match"])
    rival.do("battle", "accept", premiere, "--yes")
    stage.host.do("energy", "faucet", AMPLE, "--to", owner.address)
    owner.start("trainer", "trainer", "run", hero, "--forever")
    return Showcase(
        url=url,
        desk=world.open_desk(),
        rpc_url=stage.rpc_url,
        chain_id=DEVNET_CHAIN_ID,
        owner=owner.address,
        hero=hero,
        rival=foe,
        matches=tuple(fights),
        premiere=premiere,
        proven=proven,
        open=trial,
        bundle=str(bundle),
    )


def _slashed(world: Spectacle, beast: int) -> int:
    """A lie that a validator finds and proves by itself, two right windows after it; the case."""
    world.train(world.rival, beast)
    world.cheat(beast)
    world.train(world.rival, beast, 2)
    world.justice()

    def fell() -> bool:
        rows = world.rival.do("checkpoint", "list", beast, "--all")
        return any(row["status"] == "slashed" for row in rows)

    world.stage.wait("the lie is slashed", fell)
    world.validator.stop()
    world.rival.stop()
    return 1


def _on_trial(world: Spectacle, beast: int) -> int:
    """Another lie, whose trainer has opened its window and which nobody has disproved yet."""
    world.train(world.rival, beast)
    index = world.cheat(beast)
    case = int(world.validator.do("dispute", "file", beast, index, "--yes")["dispute"])
    world.rival.do("trainer", "defend", "--once", "--no-finalize")
    return case
