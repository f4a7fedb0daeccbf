"""docs/audit/mutation.md: survivors that somebody has looked at, and why each may live."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from scripts.lib.mutation.mutants import Mutant

_ROW = re.compile(
    r"^\| `(?P<source>[^`]+)` \| `(?P<before>[^`]+)` \| (?:`(?P<after>[^`]+)`|left out) \| .+ \|$"
)


@dataclass(frozen=True, order=True)
class Survivor:
    """A mutant by its source and its line before and after: the line's number may change."""

    source: str
    before: str
    after: str

    @classmethod
    def of(cls, source: str, mutant: Mutant) -> Survivor:
        return cls(source, mutant.before, mutant.after)

    def row(self) -> str:
        """As it stands in the table, the answer wanting."""
        cells = [f"`{text.replace('|', chr(92) + '|')}`" for text in (self.before, self.after)]
        after = cells[1] if self.after else "left out"
        return f"| `{self.source}` | {cells[0]} | {after} |  |"


def read_answers(text: str) -> set[Survivor]:
    """The survivors that the page answers."""
    answered = set()
    for line in text.splitlines():
        row = _ROW.match(line)
        if row is not None:
            before, after = ((row[name] or "").replace("\\|", "|") for name in ("before", "after"))
            answered.add(Survivor(row["source"], before, after))
    return answered


def stale(answered: Iterable[Survivor], possible: Iterable[Survivor]) -> list[Survivor]:
    """Answers about lines that are not there any more."""
    return sorted(set(answered) - set(possible))
