"""Judges the records of matches, each once: played again from both beasts' published states.

Sends nothing. A verdict outlives the daemon; what it takes to act on one is found again.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog
from eth_abi.abi import encode
from eth_hash.auto import keccak
from sqlalchemy import func, select

from backend.battle.logs import MissingLogError
from backend.battle.verdict import Lie, Player, Terms, lie_against, lie_in_words
from backend.chain.types import MatchResult
from backend.indexer.queries import standing_records
from backend.kernel.fighters import Fighter, fight
from backend.kernel.state import State
from backend.kernels import play
from backend.store.daemons import MatchJobRow, Verdict
from backend.store.facts import BeastRow
from backend.store.matches import MatchRecordRow, MatchRow
from backend.store.session import Database
from backend.store.waits import Waits
from validator.judge.states import StateProvider
from validator.scope import EVERYBODY, Scope

log = structlog.get_logger()

LOOK_AGAIN_SECONDS, LONGEST_LOOK_SECONDS = 1.0, 60.0
MOST_WAITING = 4_096
"""Records remembered as not to be judged yet."""

AT_ONCE = 500
"""Jobs looked up together."""

PLAYED = "played again, same log and result"


@dataclass(frozen=True, slots=True)
class MatchCase:
    """One record of a match that may still be disproved.

    Attributes:
        digest: 32 bytes; names this record of this match, with all that decides it, for ever.
    """

    match: MatchRow
    record: MatchRecordRow
    terms: Terms
    digest: bytes

    @property
    def match_id(self) -> int:
        return self.match.match_id

    @property
    def result(self) -> MatchResult:
        return MatchResult[self.record.result.upper()]

    @property
    def sides(self) -> tuple[tuple[int, bytes], tuple[int, bytes]]:
        """Of A and B the beast, and the hash of the state that it fights with."""
        state_b = self.match.state_b
        assert state_b is not None  # accepted long ago
        return (self.match.beast_a, self.match.state_a), (self.match.beast_b, state_b)


@dataclass(frozen=True, slots=True)
class MatchJudgement:
    """What playing a match again found.

    Attributes:
        lie: what disproves an invalid record.
        words: of the log, where it is at hand.
    """

    verdict: Verdict
    reason: str
    lie: Lie | None = None
    words: tuple[int, ...] = ()


class MatchReader:
    """Reads cases of one arena, and what it takes to judge them."""

    def __init__(self, states: StateProvider, scope: Scope = EVERYBODY) -> None:
        self.states = states
        self._reader = states.reader
        self._scope = scope

    @property
    def database(self) -> Database:
        return self._reader.database

    def standing(self) -> list[MatchCase]:
        """The records that may still be disproved and that are looked at, oldest match first."""
        with self.database.session() as session:
            found = []
            for match, record in standing_records(session):
                if self._covers(match):
                    dnas = [
                        session.get_one(BeastRow, beast_id).dna
                        for beast_id in (match.beast_a, match.beast_b)
                    ]
                    found.append((match, record, dnas))
        return [self._case(match, record, *dnas) for match, record, dnas in found]

    def _covers(self, match: MatchRow) -> bool:
        """A match of two beasts is looked at if either of them is."""
        sides = ((match.beast_a, match.owner_a), (match.beast_b, match.owner_b))
        return any(owner and self._scope.covers(beast_id, owner) for beast_id, owner in sides)

    def _case(
        self, match: MatchRow, record: MatchRecordRow, dna_a: bytes, dna_b: bytes
    ) -> MatchCase:
        assert match.season is not None
        assert match.battle_seed is not None
        rules = self._reader.season(match.season).rules
        terms = Terms(dna_a, dna_b, match.battle_seed, rules)
        return MatchCase(match, record, terms, self._digest(match, record))

    def _digest(self, match: MatchRow, record: MatchRecordRow) -> bytes:
        deployment = self._reader.chain.deployment
        values = (
            deployment.chain_id,
            deployment.addresses["Arena"],
            match.match_id,
            match.state_a,
            match.state_b,
            match.season,
            match.battle_seed,
            MatchResult[record.result.upper()],
            record.turns,
            record.log_root,
            record.tx_hash,
        )
        kinds = ("uint256", "address", "uint256", "bytes32", "bytes32", "uint16", "uint64")
        stated = ("uint8", "uint8", "bytes32", "bytes32")
        return bytes(keccak(encode([*kinds, *stated], values)))

    def judge(self, case: MatchCase, player: Player = play) -> MatchJudgement:
        """Compare a record with the match as it is played from both states.

        Args:
            player: the reference, or what gives the same.
        """
        try:
            words = self.states.logs.words(case.match_id)
        except MissingLogError as error:
            return MatchJudgement(Verdict.UNAVAILABLE, error.message)
        lie = lie_in_words(words, case.terms)
        if lie is None:
            fighters = self._fighters(case)
            if isinstance(fighters, str):
                return MatchJudgement(Verdict.UNAVAILABLE, fighters, None, words)
            played = player(*fighters, case.terms.battle_seed, case.terms.rules)
            lie = lie_against(words, case.result, played)
        if lie is None:
            return MatchJudgement(Verdict.VALID, PLAYED, None, words)
        return MatchJudgement(Verdict.INVALID, lie.why, lie, words)

    def check(self, case: MatchCase) -> MatchJudgement:
        """The same by the NumPy reference."""
        return self.judge(case, fight)

    def _fighters(self, case: MatchCase) -> tuple[Fighter, Fighter] | str:
        """Both beasts as they fight, or whose state is missing."""
        found, dnas = list[Fighter](), (case.terms.dna_a, case.terms.dna_b)
        for (beast_id, h), dna in zip(case.sides, dnas, strict=True):
            state = self.states.of_checkpoint(h)
            if state is None:
                return f"the state of beast {beast_id} is neither published nor computable"
            found.append(Fighter.of(dna, state))
        a, b = found
        return a, b

    def acting(self, case: MatchCase, turn: int) -> State | None:
        """The state of the beast that acts in a turn."""
        return self.states.of_checkpoint(case.sides[0 if case.terms.a_acts(turn) else 1][1])


class MatchJobStore:
    """One job per record of a match: what has been judged, and how."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def verdicts(self, cases: Iterable[MatchCase]) -> dict[bytes, Verdict | None]:
        """The verdict on each case by its digest; jobs are made where there is none yet."""
        wanted = {case.digest: case for case in cases}
        with self._database.session() as session:
            rows: dict[bytes, MatchJobRow] = {}
            digests = list(wanted)
            for start in range(0, len(digests), AT_ONCE):
                some = digests[start : start + AT_ONCE]
                found = select(MatchJobRow).where(MatchJobRow.digest.in_(some))
                rows |= {row.digest: row for row in session.scalars(found)}
            for digest, case in wanted.items():
                if digest not in rows:
                    row = MatchJobRow(
                        digest=digest,
                        match_id=case.match_id,
                        log_root=case.record.log_root,
                        reason="",
                        attempts=0,
                    )
                    session.add(row)
                    rows[digest] = row
            return {
                digest: None if row.verdict is None else Verdict(row.verdict)
                for digest, row in rows.items()
            }

    def judged(self, case: MatchCase, judgement: MatchJudgement) -> bool:
        """Record a verdict; whether it is news."""
        with self._database.session() as session:
            row = session.get_one(MatchJobRow, case.digest)
            news = (row.verdict, row.reason) != (judgement.verdict, judgement.reason)
            row.verdict, row.reason = judgement.verdict, judgement.reason
            row.attempts += 1
            row.judged_at = datetime.now(UTC)
            return news

    def has_invalid(self) -> bool:
        """Whether there is anything to disprove, or ever was."""
        found = select(MatchJobRow.digest).where(MatchJobRow.verdict == Verdict.INVALID)
        with self._database.session() as session:
            return session.scalar(found.limit(1)) is not None

    def all(self) -> list[MatchJobRow]:
        """Every job, by match, oldest first."""
        with self._database.session() as session:
            ordered = select(MatchJobRow).order_by(MatchJobRow.match_id, MatchJobRow.judged_at)
            return list(session.scalars(ordered))

    def counts(self) -> Counter[str]:
        """Jobs by verdict; ``waiting`` for none yet."""
        count = select(MatchJobRow.verdict, func.count()).group_by(MatchJobRow.verdict)
        with self._database.session() as session:
            rows = session.execute(count)
            return Counter({str(verdict or "waiting"): int(number) for verdict, number in rows})


class MatchJudge:
    """Brings every job over a standing record to a verdict, as far as that is possible.

    Attributes:
        unjudged: records that may still be disproved and had no verdict after the last run.
    """

    def __init__(self, reader: MatchReader, jobs: MatchJobStore) -> None:
        self._reader = reader
        self._jobs = jobs
        waits = (LOOK_AGAIN_SECONDS, LONGEST_LOOK_SECONDS, MOST_WAITING)
        self._waits = Waits(*waits, time.monotonic)
        self.unjudged = 0

    def run(self) -> int:
        """Judge what has no verdict, again now and then what could not be judged.

        Returns:
            The number of new verdicts.
        """
        cases, verdicts_made, unjudged = self._reader.standing(), 0, 0
        verdicts = self._jobs.verdicts(cases) if cases else {}
        for case in cases:
            if verdicts[case.digest] in (None, Verdict.UNAVAILABLE):
                if self._waits.due(case.digest):
                    verdicts_made += self._judge(case)
                unjudged += not self._waits.due(case.digest)
        self.unjudged = unjudged
        return verdicts_made

    def _judge(self, case: MatchCase) -> bool:
        judgement = self._reader.judge(case)
        if judgement.verdict is Verdict.INVALID:
            judgement = self._reader.check(case)
        if judgement.verdict is Verdict.UNAVAILABLE:
            self._waits.again(case.digest)
        news = self._jobs.judged(case, judgement)
        if news:
            valid = judgement.verdict is Verdict.VALID
            write = log.info if valid else log.warning
            write(
                "match judged",
                match=case.match_id,
                verdict=str(judgement.verdict),
                reason=judgement.reason,
                disprovable_until=case.record.final_at,
            )
        return news
