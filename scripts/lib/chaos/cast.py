"""Who takes part: honest trainers, cheaters, a challenger of honest windows, three validators.

Everybody reaches the node through a gate of its own, which can be made to misbehave.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from scripts.lib.faulty_node import FaultyNode
from scripts.lib.stage import Player, Process, Stage

ROOT = Path(__file__).resolve().parents[3]
DATASET = ROOT / "examples" / "battle_samples.csv"
FUNDS = 10_000
"""ENERGY of each player; more than a run can lose."""

BEASTS_TO_CHEAT_WITH = 3
VALIDATORS = {"vera": "fast", "viktor": "cheap", "vito": "fast"}
BY_SOCKET = ("viktor", "vito")
HONEST = {"ada": ("curriculum", "self-play", "private"), "bo": ("curriculum", "self-play")}
CHEATERS = ("cleo", "dan")
CHALLENGER = "gus"
NAMES = (*HONEST, *CHEATERS, CHALLENGER, *VALIDATORS)


@dataclass
class Daemon:
    """A process that is to be there all the time, or until what it does is done."""

    player: Player
    name: str
    arguments: tuple[object, ...]
    process: Process | None = None

    @property
    def title(self) -> str:
        return f"{self.player.name}'s {self.name}"

    @property
    def runs(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def start(self) -> None:
        """Start it, unless it runs."""
        if not self.runs:
            self.forget()
            self.process = self.player.start(self.name, *self.arguments)

    def kill(self) -> bool:
        """End it without a word, by its process id; False if it does not run."""
        if not self.runs or self.process is None:
            return False
        self.process.kill()
        self.process.wait()
        self.forget()
        return True

    def forget(self) -> None:
        """Let go of a process that has ended."""
        if self.process is not None:
            self.process.wait()
            self.player.daemons.remove(self.process)
            self.process = None


class Cast:
    """The players of a run, their daemons and their gates."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.players: dict[str, Player] = {}
        self.gates: list[FaultyNode] = []
        self.daemons: list[Daemon] = []
        self.beasts: dict[int, str] = {}
        self.goals: dict[int, int] = {}
        self._attempts: dict[str, Process] = {}

    def enter(self) -> None:
        """Everybody gets a home, ENERGY, a gate and beasts, while all is still well."""
        for number, name in enumerate(NAMES, 1):
            self.players[name] = self.stage.enter(name, number, FUNDS)
        for name in (*HONEST, *CHEATERS):
            for _ in range(BEASTS_TO_CHEAT_WITH if name in CHEATERS else 1):
                self._hatch(name)
        for name, player in self.players.items():
            gate = FaultyNode(self.stage.rpc_url)
            gate.start()
            self.gates.append(gate)
            player.rpc_url = gate.ws_url if name in BY_SOCKET else gate.url

    def _hatch(self, name: str) -> None:
        given = ("--dataset", DATASET) if "private" in HONEST.get(name, ()) else ()
        beast = int(self.players[name].do("beast", "hatch", "--yes", *given)["beast"])
        self.beasts[beast] = name
        if name in HONEST:
            self.goals[beast] = 0

    def start(self) -> None:
        """Start the daemons: validators, and defenders for all trainers but one cheater."""
        for name, strategy in VALIDATORS.items():
            # No window is opened at random: a validator's bond that burns shall be a fault here.
            watch = ("--strategy", strategy, "--open-rate", 0)
            self._daemon(name, "validator", "validator", "run", *watch)
        for name in (*HONEST, CHEATERS[0]):
            self._daemon(name, "defender", "trainer", "defend", "--poll", "0.5")

    def _daemon(self, name: str, title: str, *arguments: object) -> None:
        daemon = Daemon(self.players[name], title, arguments)
        daemon.start()
        self.daemons.append(daemon)

    def train(self, beast: int, windows: int, choice: int) -> str:
        """Let a beast's owner train so many windows more; at once, or when it can."""
        owner = self.beasts[beast]
        self.goals[beast] += windows
        sources = HONEST[owner]
        source = sources[choice % len(sources)]
        words = ("trainer", "run", beast, "--until", self.goals[beast], "--batch", 3)
        daemon = self._trainer_of(owner)
        if daemon is None:
            daemon = Daemon(self.players[owner], "trainer", ())
            self.daemons.append(daemon)
        daemon.arguments = (*words, "--source", source, "--no-metrics")
        return f"{owner} trains beast {beast} to {self.goals[beast]} windows on {source}"

    def _trainer_of(self, owner: str) -> Daemon | None:
        mine = (d for d in self.daemons if d.player.name == owner and d.name == "trainer")
        return next(mine, None)

    def attempt(self, name: str, *arguments: object) -> bool:
        """Start a command that may well fail; False if the player is busy with one."""
        player, earlier = self.players[name], self._attempts.get(name)
        if earlier is not None:
            if earlier.poll() is None:
                return False
            player.daemons.remove(earlier)
        self._attempts[name] = player.start("attempts", *arguments)
        return True

    def attempting(self) -> bool:
        """Whether somebody's command still runs."""
        return any(process.poll() is None for process in self._attempts.values())

    def revive(self, trained: Callable[[int], int]) -> None:
        """Start again what was killed or gave up.

        Args:
            trained: how many windows the chain has of a beast.
        """
        for daemon in self.daemons:
            beast = self._beast_of(daemon)
            if beast is None or trained(beast) < self.goals[beast]:
                daemon.start()

    def _beast_of(self, daemon: Daemon) -> int | None:
        """The beast that a trainer trains; None for another daemon."""
        return int(str(daemon.arguments[2])) if daemon.name == "trainer" else None

    def close(self) -> None:
        """Take the gates away."""
        for gate in self.gates:
            gate.stop()
