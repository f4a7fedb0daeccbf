"""A small world that has something in every view of the page, for its pictures and its tests.

Owners, a cheater, a validator, a metrics server and the page's server: each is a process on a real
chain.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from chainbeasts.backend.chain.anvil import rpc
from scripts.lib.deadlines import PATIENT
from scripts.lib.stage import Player, Stage

FUNDS = 1_000
LIE_STEP = 77
ANSWER_SECONDS = 30.0


class Spectacle:
    """The world on a stage that has the contracts. Each act is a method and takes seconds.

    Attributes:
        url: of the page, once `open` has been called.
    """

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.owner = stage.enter("owner", 1, FUNDS)
        self.rival = stage.enter("rival", 2, FUNDS)
        self.validator = stage.enter("validator", 3, FUNDS)
        self.url = ""

    def open(self) -> str:
        """Start the metrics server and the page's; the page's address."""
        host = self.stage.host
        host.start("metrics", "metrics", "serve", "--port", 0, "--json")
        told = self._first_answer(host, "metrics", "url")
        port = int(told["url"].rsplit(":", 1)[1].split("/")[0])
        for player in self.stage.players:
            player.extra["METRICS_PORT"] = str(port)
        host.start("serve", "serve", "--port", 0, "--json")
        self.url = str(self._first_answer(host, "serve", "health")["url"])
        self.catch_up()
        return self.url

    def catch_up(self) -> None:
        """Wait until the page's server has read what is on the chain now."""
        head = int(str(rpc(self.stage.rpc_url, "eth_blockNumber")), 16)

        def read() -> bool | None:
            try:
                with urlopen(f"{self.url}/v1/status", timeout=ANSWER_SECONDS) as answer:
                    indexed = json.load(answer)["indexed"]
            except OSError:  # too busy; it is asked again
                return None
            return (indexed is not None and int(indexed["number"]) >= head) or None

        self.stage.wait("the page's server has read the chain", read)

    def open_desk(self) -> str:
        """Start a second server, one whose readers may act, on what the first has read."""
        host = self.stage.host
        database = f"sqlite:///{host.home / 'api.sqlite3'}"
        host.start("desk", "serve", "--port", 0, "--allow-wallet", "--database", database, "--json")
        return str(self._first_answer(host, "desk", "health")["url"])

    def _first_answer(self, player: Player, daemon: str, key: str) -> dict[str, Any]:
        """What a daemon printed once it was ready, among the lines of its log."""

        def look() -> dict[str, Any] | None:
            for value in _objects(player.log(daemon).read_text("utf-8")):
                if key in value and "event" not in value:
                    return value
            return None

        return self.stage.wait(f"{daemon} is ready", look)

    def hatch(self, player: Player, *options: object) -> int:
        """A new beast of a player."""
        return int(player.do("beast", "hatch", "--yes", *options)["beast"])

    def train(self, player: Player, beast: int, windows: int = 1, *options: object) -> None:
        """Submit windows, with live figures."""
        player.do("trainer", "run", beast, "--windows", windows, "--batch", windows, *options)

    def settle(self, *beasts: tuple[Player, int]) -> None:
        """Let the challenge periods pass, and make the beasts' windows final."""
        self.stage.travel(PATIENT.challenge_period + 1)
        for player, beast in beasts:
            player.do("checkpoint", "finalize", beast)

    def fight(self, beast: int, opponent: int) -> int:
        """A match of the owner's beast with the rival's, recorded; its number."""
        number = int(self.owner.do("battle", "challenge", beast, opponent, "--yes")["match"])
        self.rival.do("battle", "accept", number, "--yes")
        self.owner.do("battle", "record", number)
        return number

    def finish(self, *matches: int) -> None:
        """Let the disproof periods pass, and make the matches final."""
        self.stage.travel(PATIENT.disproof_period + 1)
        for match in matches:
            self.owner.do("battle", "finalize", match)

    def cheat(self, beast: int) -> int:
        """The rival's next window of a beast has one wrong weight; the window's index."""
        told = self.rival.do("trainer", "drill", "weight", beast, "--step", LIE_STEP)
        return int(told["checkpoint"])

    def justice(self) -> None:
        """A validator and the rival's defender start; the lie will be found."""
        self.rival.start("defender", "trainer", "defend", "--no-finalize", "--poll", "0.5")
        knows = ("--datasets", self.owner.home / "beasts")
        # So few windows are replayed faster than a worker process has loaded the program.
        how = ("--strategy", "cheap", "--workers", 0)
        self.validator.start("validator", "validator", "run", *how, *knows)

    def rest(self) -> None:
        """The validator and the rival's defender end."""
        self.validator.stop()
        self.rival.stop()


def _objects(text: str) -> Iterator[dict[str, Any]]:
    """The whole JSON objects in a text, however they are laid out."""
    decoder, at = json.JSONDecoder(), text.find("{")
    while at >= 0:
        try:
            value, end = decoder.raw_decode(text, at)
            yield value
        except ValueError:
            return
        at = text.find("{", end)


def patient_profile(folder: Path) -> str:
    """A season whose deadlines pass only by travel."""
    return str(PATIENT.profile(folder))
