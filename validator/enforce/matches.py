"""Disproves wrong records of matches, each once. Nothing is at risk in it but gas."""

from __future__ import annotations

from typing import Any

import structlog

from chainbeasts.backend.battle.verdict import Lie
from chainbeasts.backend.chain.client import Chain
from chainbeasts.backend.chain.types import MatchLie, header_to_abi
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.indexer.follow import AWAY
from chainbeasts.backend.kernel.merkle import Tree
from chainbeasts.backend.kernel.row_opening import open_pass
from chainbeasts.backend.kernel.state import State
from chainbeasts.backend.redact import redact_text
from chainbeasts.backend.store.daemons import Verdict
from chainbeasts.validator.enforce.bonds import MoveSender
from chainbeasts.validator.enforce.strategy import Action
from chainbeasts.validator.judge.matches import (
    MatchCase,
    MatchJobStore,
    MatchJudgement,
    MatchReader,
)

log = structlog.get_logger()


def disproof(
    chain: Chain, match_id: int, words: tuple[int, ...], lie: Lie, state: State | None
) -> Any:
    """The arena's call that shows a lie.

    Args:
        words: the recorded log.
        state: of the beast that acts in the lie's turn, where ``lie.needs_state``.
    """
    tree, turn, arena = Tree(words), lie.turn, chain.arena.functions
    word, proof = words[turn], tree.proof(turn)
    if lie.kind is MatchLie.FIRST_WORD:
        return arena.disproveFirstWord(match_id, word, proof)
    if lie.kind is MatchLie.OVER:
        return arena.disproveOver(match_id, turn, word, proof)
    assert state is not None
    # The last word has none after it: the arena then compares the end of the match with the result.
    following: tuple[int, list[bytes]] = (0, [])
    if turn + 1 < len(words):
        following = (words[turn + 1], tree.proof(turn + 1))
    # Only the rows that the acting beast reads at this word: a third of its state, and of the gas.
    opening = (header_to_abi(state.header), open_pass(state, word).to_abi())
    return arena.disproveTurn(match_id, turn, word, following[0], proof, following[1], *opening)


class Disprover:
    """Acts on records judged invalid.

    Args:
        sender: where moves go; None watches only.

    Attributes:
        refused: records whose disproof was refused in the last run.
    """

    def __init__(self, reader: MatchReader, jobs: MatchJobStore, sender: MoveSender | None) -> None:
        self._reader = reader
        self._jobs = jobs
        self._sender = sender
        self._logged: dict[bytes, str] = {}
        self.refused = 0

    def run(self) -> int:
        """Disprove what can be disproved now; returns the number of moves.

        Raises:
            NodeUnavailableError, WrongChainError: the chain cannot be reached.
        """
        self.refused = 0
        if not self._jobs.has_invalid():
            return 0
        cases, moved = self._reader.standing(), 0
        verdicts = self._jobs.verdicts(cases) if cases else {}
        self._logged = {d: what for d, what in self._logged.items() if d in verdicts}
        for case in cases:
            if verdicts[case.digest] is not Verdict.INVALID:
                continue
            try:
                moved += self._act(case)
            except AWAY:
                raise
            except Exception as error:
                self.refused += 1
                unexpected = None if isinstance(error, ChainBeastsError) else error
                name = "" if unexpected is None else f"{type(error).__name__}: "
                self._log_once(case, f"refused: {name}{redact_text(str(error))}", unexpected)
        return moved

    def _act(self, case: MatchCase) -> bool:
        """Disprove one record, unless the reference does not confirm the lie, or it is too late."""
        if self._reader.states.reader.chain.now() >= case.record.final_at:
            self._log_once(case, "too late: the time to disprove it is over")
            return False
        # By the reference, and from the log itself: the verdict on record says neither which turn
        # is wrong nor how, and the lie to show must be one that the arena finds, too.
        found = self._reader.check(case)
        if found.lie is None:
            self._jobs.judged(case, found)
            self._log_once(case, f"not confirmed: {found.reason}")
            return False
        call = self._call(case, found, found.lie)
        if call is None:
            self._log_once(case, "the state of the acting beast is not at hand")
            return False
        self._log_once(case, f"to disprove: {found.reason}")
        if self._sender is None:
            return False
        # The last second that the arena accepts. The reporter must not gain by a full mempool, so
        # the fee rises as it nears.
        due = case.record.final_at - 1
        return self._sender.send(Action.DISPROVE, case.digest.hex(), call, due=due)

    def _call(self, case: MatchCase, found: MatchJudgement, lie: Lie) -> Any | None:
        state = self._reader.acting(case, lie.turn) if lie.needs_state else None
        if lie.needs_state and state is None:
            return None
        chain = self._reader.states.reader.chain
        return disproof(chain, case.match_id, found.words, lie, state)

    def _log_once(self, case: MatchCase, what: str, why: Exception | None = None) -> None:
        """Say it once."""
        if self._logged.get(case.digest) != what:
            self._logged[case.digest] = what
            log.warning(
                "wrong match record",
                match=case.match_id,
                what=what,
                dry_run=not self._sender,
                exc_info=why,
            )
