"""One soak: who takes part, what troubles them, and what is looked at."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import httpx

from chainbeasts.backend.chain.anvil import DEVNET_CHAIN_ID
from chainbeasts.backend.chain.client import Chain
from chainbeasts.backend.chain.deployment import Deployment
from scripts.lib.faulty_node import FaultyNode
from scripts.lib.soak.usage import Bounds, Growth, Taken, family, files_of, memory_of, sizes_of
from scripts.lib.stage import Player, Process, Stage, StageError

FUNDS = 100_000
SAMPLE_SECONDS = 5.0
TROUBLE = 0.02
"""Chance of each answer to be an error, to be cut off, and to be of a wrong shape."""

WRONG_LOGS = 0.1
DROP_SECONDS = 20.0
"""Between two times that all WebSockets break."""

LIE_SECONDS = 60.0
"""Between two wrong windows."""

AWAY_EVERY, AWAY_SECONDS = 45.0, 5.0
"""How often a gate is shut, and for how long."""

IN_STEP_SECONDS = 120.0
LEAST_SAMPLES = 12
TRAINER = "trainer"


@dataclass
class Watched:
    """A process that is looked at; it is started again if it may end."""

    player: Player
    name: str
    arguments: tuple[object, ...]
    process: Process
    taken: list[Taken] = field(default_factory=list)
    starts: int = 1

    @property
    def title(self) -> str:
        return f"{self.player.name}'s {self.name}"


@dataclass(frozen=True, slots=True)
class SoakReport:
    """What a soak came to.

    Attributes:
        faults: what grew beyond its bound, ended, or did not catch up; empty if all is well.
    """

    minutes: float
    windows: int
    blocks: int
    troubles: dict[str, int]
    restarts: int
    daemons: list[dict[str, Any]]
    faults: list[str]

    def facts(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self)


class Soak:
    """A run on a stage whose contracts are deployed.

    Args:
        bounds: what the daemons may grow by.
    """

    def __init__(
        self,
        stage: Stage,
        say: Callable[[str], None] = lambda _: None,
        bounds: Bounds | None = None,
        seed: int = 0,
    ) -> None:
        self._stage = stage
        self._say = say
        self._bounds = bounds or Bounds()
        self._random = random.Random(seed)
        self._gates: list[FaultyNode] = []
        self._watched: list[Watched] = []

    def run(self, minutes: float) -> SoakReport:
        """Let everybody work for that long, and judge what they grew by.

        Raises:
            StageError: a command of the beginning failed.
        """
        with self._gated():
            self._enter()
            begun = time.monotonic()
            self._trouble()
            self._watch(begun, minutes * 60)
            for gate in self._gates:
                gate.behave()
            faults = self._ended() + self._behind()
        head = self._chain.block().number
        troubles: dict[str, int] = {}
        for gate in self._gates:
            for fault, count in (*gate.faults.items(), *gate.log_faults.items()):
                troubles[str(fault)] = troubles.get(str(fault), 0) + count
        daemons = []
        for one in self._watched:
            if len(one.taken) < LEAST_SAMPLES:
                raise StageError("The soak was too short to tell growth from warming up.")
            growth = Growth.of(one.taken)
            faults += growth.faults(one.title, self._bounds)
            facts = {"last": asdict(one.taken[-1]), "growth": asdict(growth)}
            daemons.append({"daemon": one.title} | facts)
        restarts = sum(one.starts - 1 for one in self._watched)
        return SoakReport(minutes, self._windows(), head, troubles, restarts, daemons, faults)

    # --- who takes part -------------------------------------------------------------------------

    @contextmanager
    def _gated(self) -> Iterator[None]:
        try:
            yield
        finally:
            for gate in self._gates:
                gate.stop()

    def _enter(self) -> None:
        names = ("ada", "dan", "vera", "sid")
        ada, dan, vera, sid = (
            self._stage.enter(name, number, FUNDS) for number, name in enumerate(names, 1)
        )
        deployment = Deployment.load(self._stage.host.home / "deployments", DEVNET_CHAIN_ID)
        self._chain = Chain.connect(self._stage.rpc_url, deployment)
        self._beast, self._lies = (
            int(owner.do("beast", "hatch", "--yes")["beast"]) for owner in (ada, dan)
        )
        self._liar = dan
        for number, player in enumerate((ada, vera, sid)):
            gate = FaultyNode(self._stage.rpc_url, seed=number).start()
            self._gates.append(gate)
            # Each kind of line is used by somebody.
            player.rpc_url = gate.ws_url if player is vera else gate.url
        self._start(ada, TRAINER, "trainer", "run", self._beast, "--forever", "--no-metrics")
        self._start(ada, "defender", "trainer", "defend")
        self._start(vera, "validator", "validator", "run", "--open-rate", 0)
        self._start(sid, "server", "serve", "--port", 0, "--metrics-port", 0, "--json")

    def _start(self, player: Player, name: str, *arguments: object) -> None:
        process = player.start(name, *arguments)
        self._watched.append(Watched(player, name, arguments, process))

    def _trouble(self) -> None:
        for gate in self._gates:
            half = TROUBLE / 2
            gate.misbehave(
                errors=half, errors_after=half, drops_before=half, drops_after=half, odd=TROUBLE
            )
            gate.misreport_logs(WRONG_LOGS)

    # --- what happens ---------------------------------------------------------------------------

    def _watch(self, begun: float, seconds: float) -> None:
        lie, drop, away = (begun + pause for pause in (LIE_SECONDS, DROP_SECONDS, AWAY_EVERY))
        attempt: Process | None = None
        shut: tuple[FaultyNode, float] | None = None
        sample = begun
        while (now := time.monotonic()) - begun < seconds:
            if now >= sample:
                self._sample(now - begun)
                sample = now + SAMPLE_SECONDS
            if now >= drop:
                drop = now + DROP_SECONDS
                for gate in self._gates:
                    gate.drop_websockets()
            if shut is not None and now >= shut[1]:
                shut[0].down, shut = False, None
            elif now >= away:
                away = now + AWAY_EVERY
                gate = self._random.choice(self._gates)
                gate.down, shut = True, (gate, now + AWAY_SECONDS)
                gate.drop_websockets()
            if now >= lie and (attempt is None or attempt.poll() is not None):
                lie = now + LIE_SECONDS
                if attempt is not None:
                    self._liar.daemons.remove(attempt)
                attempt = self._liar.start("lies", "trainer", "drill", "weight", self._lies)
            self._revive()
            time.sleep(0.5)

    def _revive(self) -> None:
        """A training run may end on a node like these; everybody else may not."""
        for one in self._watched:
            if one.name == TRAINER and one.process.poll() is not None:
                one.player.daemons.remove(one.process)
                one.process = one.player.start(one.name, *one.arguments)
                one.starts += 1

    def _windows(self) -> int:
        heads = (self._chain.head(beast) for beast in (self._beast, self._lies))
        return sum(head.head_count for head in heads)

    def _sample(self, at: float) -> None:
        windows = self._windows()
        homes = {one.player.name: sizes_of(one.player.home) for one in self._watched}
        published = sizes_of(self._stage.published)[0]
        for one in self._watched:
            pids = family(one.process.pid)
            disk, database, log = homes[one.player.name]
            taken = Taken(
                at,
                windows,
                memory_of(pids),
                files_of(pids),
                disk + (published if one.name == TRAINER else 0),
                database,
                log,
            )
            one.taken.append(taken)
        self._say(
            f"{windows} windows; "
            + ", ".join(
                f"{one.name} {one.taken[-1].memory >> 20} MiB, {one.taken[-1].files} files"
                for one in self._watched
            )
        )

    # --- what came of it ------------------------------------------------------------------------

    def _ended(self) -> list[str]:
        return [
            f"{one.title} ended with exit code {code}"
            for one in self._watched
            if one.name != TRAINER and (code := one.process.poll()) is not None
        ]

    def _behind(self) -> list[str]:
        """The server answers, and comes into step once the node is well."""
        (server,) = (one for one in self._watched if one.name == "server")
        head, url = self._chain.block().number, _url_in(server.player.log(server.name))
        deadline = time.monotonic() + IN_STEP_SECONDS
        problem = "did not say where it listens"
        while url is not None and time.monotonic() < deadline:
            try:
                status = httpx.get(f"{url}/v1/status", timeout=10, trust_env=False).json()
                indexed = (status["indexed"] or {"number": -1})["number"]
                if indexed >= head:
                    return []
                problem = f"is at block {indexed} of {head}"
            except httpx.HTTPError as error:
                problem = f"does not answer ({type(error).__name__})"
            time.sleep(1.0)
        return [f"{server.title} {problem}"]


def _url_in(log: Path) -> str | None:
    """Where a server says that it listens."""
    for line in log.read_text("utf-8", "replace").splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict) and entry.get("event") == "api started":
            return str(entry["url"])
    return None
