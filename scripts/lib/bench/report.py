"""Puts the tables of a run into docs/benchmarks.md, whose words are written by hand."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from scripts.lib.bench.figures import Figure
from scripts.lib.bench.learning import BEASTS, Learning

TITLES = {
    "speed": "Speed",
    "validator": "Validator",
    "plausibility": "Plausibility of private windows",
    "api": "API",
    "page": "Page",
    "frameworks": "Other frameworks",
    "learning": "Learning",
    "matches": "Matches",
    "fights": "Fights",
}
PLANS = "Plans"


def _table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def _figures(figures: Sequence[Figure]) -> str:
    marks = {True: "yes", False: "**no**", None: ""}
    rows = [(f.name, f.shown, f.wanted, marks[f.reached], f.method) for f in figures]
    return _table(("figure", "measured", "wanted", "reached", "method"), rows)


def _where(machine: Mapping[str, str]) -> str:
    """On what a table was measured: each group's may be another machine's."""
    return "Measured on: " + ", ".join(f"{what} {which}" for what, which in machine.items()) + "."


def renew(
    document: str,
    machine: Mapping[str, str],
    found: Mapping[str, Sequence[Figure]],
    learned: Learning | None = None,
) -> str:
    """The document with the tables of some groups measured anew, in their order.

    What somebody wrote below a table stays, for whoever measured to look at.
    """
    for group, figures in found.items():
        if figures:
            document = _put(document, group, f"{_where(machine)}\n\n{_figures(figures)}\n")
    return document if learned is None else _with_plans(document, f"{_where(machine)} ", learned)


def _put(document: str, group: str, text: str) -> str:
    """The document with a group's table in its place."""
    title, later = TITLES[group], list(TITLES)[list(TITLES).index(group) + 1 :]
    new = f"## {title}\n\n{text}"
    table = rf"^## {re.escape(title)}\n\n(?:Measured on: .*\n\n)?(?:\|.*\n)+"
    old = re.search(table, document, re.MULTILINE)
    if old is not None:
        return document[: old.start()] + new + document[old.end() :]
    names = "|".join(re.escape(TITLES[one]) for one in later) or PLANS
    next_one = re.search(rf"^## (?:{names})$", document, re.MULTILINE)
    place = len(document) if next_one is None else next_one.start()
    return document[:place] + f"{new}\n" + document[place:]


def _with_plans(document: str, where: str, learned: Learning) -> str:
    """The document with what the plans led to, up to the section's first own heading."""
    old = re.search(rf"^## {PLANS}\n\n(?:(?!#).*\n)+", document, re.MULTILINE)
    if old is None:
        raise ValueError(f"the document has no section {PLANS}")
    return document[: old.start()] + _plans(where, learned) + document[old.end() :]


def _plans(where: str, learned: Learning) -> str:
    plans = _table(
        ("plan", "exact", "any optimal", "attack MAE", "block", "spread of exact"),
        [
            (
                one.plan,
                f"{one.mean.exact:.2f} %",
                f"{one.mean.optimal:.2f} %",
                f"{one.mean.attack_mae:.2f}",
                f"{one.mean.block:.2f} %",
                f"± {one.spread:.2f}",
            )
            for one in learned.plans
        ],
    )
    course = _table(
        ("micro-steps", "exact", "any optimal"),
        [(f"{s:,}", f"{m.exact:.1f} %", f"{m.optimal:.1f} %") for s, m in learned.course],
    )
    return f"""## {PLANS}

{where}{BEASTS} beasts each, the same for every plan, on the same held-out boards.

{plans}

On the way, by the documented plan:

{course}

"""
