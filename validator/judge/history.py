"""Judges a beast's whole standing history in order. Sends nothing, records nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from chainbeasts.backend.store.daemons import Verdict
from chainbeasts.validator.judge.cases import Case
from chainbeasts.validator.judge.replay import Judgement, judge_fast
from chainbeasts.validator.judge.states import StateProvider
from chainbeasts.validator.judge.windows import judge_without_replay

FALLS = "falls"
"""Shown for a checkpoint built on an invalid one: it cannot stand, whatever it holds itself."""


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One checkpoint of the history.

    Attributes:
        judgement: None for one that falls with an earlier one.
        fell_with: index of that earlier one.
    """

    case: Case
    judgement: Judgement | None
    fell_with: int | None = None

    @property
    def verdict(self) -> str:
        """The verdict as it is shown."""
        return FALLS if self.judgement is None else str(self.judgement.verdict)


def judge_history(states: StateProvider, cases: Sequence[Case]) -> Iterator[HistoryRow]:
    """Judge standing checkpoints from index 0 on, one after the other, as they are asked for.

    What the compiled kernel does not find valid is judged again by the NumPy reference.
    """
    wrong: int | None = None
    for position, case in enumerate(cases):
        if wrong is not None:
            yield HistoryRow(case, None, wrong)
            continue
        window = states.window(case, cases[:position])
        if isinstance(window, str):
            judgement = judge_without_replay(states, case, window)
        else:
            judgement = judge_fast(window)
        if judgement.verdict is Verdict.INVALID:
            wrong = case.index
        yield HistoryRow(case, judgement)


def complaint(rows: Sequence[HistoryRow]) -> str | None:
    """The sentence about what is not valid; None if everything is."""
    invalid = [row.case.index for row in rows if row.verdict == Verdict.INVALID]
    unknown = [row.case.index for row in rows if row.verdict == Verdict.UNAVAILABLE]
    fallen = sum(row.judgement is None for row in rows)
    beast = rows[0].case.beast_id
    parts = []
    if invalid:
        parts.append(f"checkpoint {invalid[0]} of beast {beast} is invalid")
        if fallen:
            later = "1 later one falls" if fallen == 1 else f"{fallen} later ones fall"
            parts[-1] += f" and {later} with it"
    if unknown:
        few = ", ".join(map(str, unknown[:5])) + (", …" if len(unknown) > 5 else "")
        parts.append(f"{len(unknown)} of beast {beast} could not be judged ({few})")
    if not parts:
        return None
    text = "; ".join(parts)
    return text[0].upper() + text[1:] + "."
