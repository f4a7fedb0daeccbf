"""Judges the records of matches, each once: played again from both beasts' published states.

Sends nothing. A verdict outlives the daemon; what it takes to act on one is found again.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import structlog
from eth_abi.abi import encode
from eth_hash.auto import keccak
from sqlalchemy import and_, exists, func, or_, select
from sqlalchemy.orm import Session

from chainbeasts.backend.battle.logs import MissingLogError
from chainbeasts.backend.battle.verdict import Lie, Player, Terms, lie_against, lie_in_words
from chainbeasts.backend.chain.types import MatchResult
from chainbeasts.backend.indexer.follow import AWAY
from chainbeasts.backend.indexer.positions import Position, position, stands
from chainbeasts.backend.indexer.queries import final_records, standing_records
from chainbeasts.backend.kernel.fighters import Fighter, fight
from chainbeasts.backend.kernel.state import State
from chainbeasts.backend.kernels import play
from chainbeasts.backend.store.columns import insert_new
from chainbeasts.backend.store.daemons import MatchJobRow, Verdict
from chainbeasts.backend.store.facts import BeastRow
from chainbeasts.backend.store.matches import MatchRecordRow, MatchRow, RecordStatus
from chainbeasts.backend.store.session import Database
from chainbeasts.backend.store.waits import Waits
from chainbeasts.validator.judge.jobs import BEFORE_US, UNVERIFIED, watching_since
from chainbeasts.validator.judge.states import StateProvider
from chainbeasts.validator.scope import EVERYBODY, Scope

log = structlog.get_logger()

LOOK_AGAIN_SECONDS, LONGEST_LOOK_SECONDS = 1.0, 60.0
MOST_WAITING = 4_096
"""Records remembered as not to be judged yet."""

AT_ONCE = 500
"""Jobs looked up together."""

FINAL_AT_ONCE = 16
"""Final records judged in one pass."""

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
            return self._cases(session, standing_records(session))

    def final(self, matches: Sequence[int]) -> list[MatchCase]:
        """Of some matches the records that are final and are looked at, oldest match first."""
        with self.database.session() as session:
            return self._cases(session, final_records(session, matches))

    def _cases(
        self, session: Session, rows: Iterable[tuple[MatchRow, MatchRecordRow]]
    ) -> list[MatchCase]:
        found = []
        for match, record in rows:
            if self._covers(match):
                dnas = [
                    session.get_one(BeastRow, beast_id).dna
                    for beast_id in (match.beast_a, match.beast_b)
                ]
                found.append(self._case(match, record, *dnas))
        return found

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


def _verdicts(session: Session, digests: Sequence[bytes]) -> dict[bytes, Verdict | None]:
    found: dict[bytes, Verdict | None] = {}
    wanted = select(MatchJobRow.digest, MatchJobRow.verdict)
    for start in range(0, len(digests), AT_ONCE):
        some = wanted.where(MatchJobRow.digest.in_(digests[start : start + AT_ONCE]))
        for digest, verdict in session.execute(some):
            found[digest] = None if verdict is None else Verdict(verdict)
    return found


def _new_job(case: MatchCase) -> dict[str, Any]:
    return {
        "digest": case.digest,
        "match_id": case.match_id,
        "log_root": case.record.log_root,
        "reason": "",
        "attempts": 0,
    }


_SAME_RECORD = and_(
    MatchJobRow.match_id == MatchRecordRow.match_id,
    MatchJobRow.log_root == MatchRecordRow.log_root,
)


class MatchJobStore:
    """One job per record of a match: what has been judged, and how."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def verdicts(self, cases: Iterable[MatchCase]) -> dict[bytes, Verdict | None]:
        """The verdict on each case by its digest; jobs are made where there is none yet."""
        wanted = {case.digest: case for case in cases}
        with self._database.session() as session:
            found = _verdicts(session, list(wanted))
            new = [case for digest, case in wanted.items() if digest not in found]
            if new:  # as in JobStore: another process may be at the same record
                insert_new(session, MatchJobRow, [_new_job(case) for case in new])
                found |= _verdicts(session, [case.digest for case in new])
            return found

    def final_unjudged(self, earlier: Position | None) -> tuple[list[int], Position | None]:
        """The matches whose record is final, and neither right nor told of as unverified.

        Args:
            earlier: where the database ended at an earlier call: only what became final since.

        Returns:
            The matches, and where the database ends now.
        """
        told = or_(
            MatchJobRow.verdict == Verdict.VALID,
            MatchJobRow.reason.like(f"{UNVERIFIED}%"),
            MatchJobRow.reason.like(f"{BEFORE_US}%"),
        )
        wanted = select(MatchRecordRow.match_id).where(
            MatchRecordRow.status == RecordStatus.FINAL, ~exists().where(_SAME_RECORD, told)
        )
        with self._database.reading() as session:
            if earlier is not None and stands(session, earlier):
                wanted = wanted.where(MatchRecordRow.settled_block > earlier.number)
            found = session.scalars(wanted.order_by(MatchRecordRow.match_id)).all()
            return list(found), position(session)

    def watching_since(self) -> int:
        """See the function of that name."""
        with self._database.session() as session:
            return watching_since(session)

    def too_late(self) -> tuple[int, int]:
        """Records that are final: without a verdict though we were there, and wrong ones."""
        unverified = select(func.count()).where(
            MatchJobRow.verdict == Verdict.UNAVAILABLE, MatchJobRow.reason.like(f"{UNVERIFIED}%")
        )
        wrong = (
            select(func.count())
            .select_from(MatchJobRow)
            .join(MatchRecordRow, _SAME_RECORD)
            .where(
                MatchJobRow.verdict == Verdict.INVALID,
                MatchRecordRow.status == RecordStatus.FINAL,
            )
        )
        with self._database.session() as session:
            return session.scalar(unverified) or 0, session.scalar(wrong) or 0

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
        unverified: records that became final, since this validator came, without a verdict.
        wrong: records that are wrong and final; of any time.
    """

    def __init__(self, reader: MatchReader, jobs: MatchJobStore) -> None:
        self._reader = reader
        self._jobs = jobs
        waits = (LOOK_AGAIN_SECONDS, LONGEST_LOOK_SECONDS, MOST_WAITING)
        self._waits = Waits(*waits, time.monotonic)
        self._final: deque[int] = deque()
        self._counted = False
        self._seen: Position | None = None
        self.unjudged = self.unverified = self.wrong = 0

    def run(self) -> int:
        """Judge what has no verdict, again now and then what could not be judged.

        Records that became final without one are judged after the fact, when no other waits.

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
        return verdicts_made or self._judge_final()

    def _judge_final(self) -> int:
        """Judge some of the records that nobody can disprove any more; how many."""
        found, self._seen = self._jobs.final_unjudged(self._seen)
        self._final.extend(found)
        some = [self._final.popleft() for _ in range(min(len(self._final), FINAL_AT_ONCE))]
        if not some and self._counted:
            return 0
        cases = self._reader.final(some)
        verdicts, since = self._jobs.verdicts(cases), self._jobs.watching_since()
        for case in cases:
            judgement = self._judgement(case)
            self._tell_final(case, judgement, (case.record.settled_block or 0) > since)
        self.unverified, self.wrong = self._jobs.too_late()
        self._counted = True
        return sum(verdict is None for verdict in verdicts.values())

    def _tell_final(self, case: MatchCase, judgement: MatchJudgement, ours: bool) -> None:
        """Record a verdict on a final record, and tell of it unless it is right.

        Args:
            ours: it became final since this validator came.
        """
        reason = judgement.reason
        if judgement.verdict is Verdict.UNAVAILABLE:
            judgement = replace(judgement, reason=(UNVERIFIED if ours else BEFORE_US) + reason)
            if ours:
                log.error("unverified match", match=case.match_id, reason=reason)
        elif judgement.verdict is Verdict.INVALID:
            log.error("wrong match record is final", match=case.match_id, reason=reason)
        else:
            log.info("match judged after the fact", match=case.match_id, reason=reason)
        self._jobs.judged(case, judgement)

    def _judgement(self, case: MatchCase) -> MatchJudgement:
        """What is found about a record, a lie by the reference too; what nobody foresaw about one
        leaves it without a verdict, and the others are judged."""
        try:
            judgement = self._reader.judge(case)
            if judgement.verdict is Verdict.INVALID:
                judgement = self._reader.check(case)
        except AWAY:
            raise
        except Exception as error:
            log.exception("a match could not be judged", match=case.match_id)
            why = f"judging it failed unexpectedly ({type(error).__name__}); the log says more"
            return MatchJudgement(Verdict.UNAVAILABLE, why)
        return judgement

    def _judge(self, case: MatchCase) -> bool:
        judgement = self._judgement(case)
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
