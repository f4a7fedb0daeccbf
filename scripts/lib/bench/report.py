"""docs/benchmarks.md from one run."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from scripts.lib.bench.beasts import WINDOWS
from scripts.lib.bench.figures import Figure
from scripts.lib.bench.learning import BEASTS, DOCUMENTED, Learning

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


def _table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def _figures(figures: Sequence[Figure]) -> str:
    marks = {True: "yes", False: "**no**", None: ""}
    rows = [(f.name, f.shown, f.wanted, marks[f.reached], f.method) for f in figures]
    return _table(("figure", "measured", "wanted", "reached", "method"), rows)


def _section(group: str, figures: Sequence[Figure]) -> str:
    return f"## {TITLES[group]}\n\n{_figures(figures)}\n\n"


def renew(document: str, found: Mapping[str, Sequence[Figure]]) -> str:
    """The document with the tables of some groups measured anew, in their order.

    What somebody wrote below a table stays, for whoever measured to look at.
    """
    for group, figures in found.items():
        title, later = TITLES[group], list(TITLES)[list(TITLES).index(group) + 1 :]
        old = re.search(rf"^## {re.escape(title)}\n\n(?:\|.*\n)+", document, re.MULTILINE)
        if old is not None:
            new = f"## {title}\n\n{_figures(figures)}\n"
            document = document[: old.start()] + new + document[old.end() :]
            continue
        names = "|".join(re.escape(TITLES[one]) for one in later) or "Plans"
        next_one = re.search(rf"^## (?:{names})$", document, re.MULTILINE)
        place = len(document) if next_one is None else next_one.start()
        document = document[:place] + _section(group, figures) + document[place:]
    return document


def render(
    machine: Mapping[str, str], found: Mapping[str, Sequence[Figure]], learned: Learning
) -> str:
    """The document."""
    sections = "".join(_section(group, found[group]) for group in TITLES if found.get(group))
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
    self_play = next(one for one in learned.plans if one.plan == "self-play")
    late = next(one for one in learned.plans if one.plan.endswith("last quarter self-play"))
    best = next(one for one in learned.plans if one.plan == DOCUMENTED)
    return f"""# Benchmarks

Measured by `scripts/bench --write`, which prints every figure with its method and exits with 1 if
one misses what is wanted; with `--only GROUP` it measures and writes that table alone. Times are of
one machine; compare the ratios, which are taken within one run.

{_table(("", "measured on"), list(machine.items()))}

Beasts are hatched on a local chain; their DNA and the block hash that seeds each epoch are that
chain's, so every run trains other beasts. The documented plan is `--plan {DOCUMENTED}` for
{WINDOWS:,} windows, {128 * WINDOWS:,} micro-steps, with every slot awake from the first window
(`--grow s0@0,…,a3@0` for those that sleep at hatch) and the season's default schedule of heads and
learning rate.

{sections.rstrip()}

## Plans

{BEASTS} beasts each, the same for every plan, on the same held-out boards.

{plans}

On the way, by the documented plan:

{course}

### Self-play

A match of self-play is left after `selfPlayWords` trained words, for neighbouring words of one
match are too alike to learn much from; how many is chosen by play strength ([fights](fights.md)).
Alone it ends {self_play.mean.exact - best.mean.exact:+.1f} points of exact moves from the
curriculum; put last, for a quarter of the run, {late.mean.exact - best.mean.exact:+.1f} points, and
the beasts differ by ± {late.spread:.1f}.

## What was found out

- The curriculum's 64 templates are enough: a dataset of 65,536 random boards adds little.
- Accuracy comes late: the last points arrive when the learning rate falls, after window 768.
- What training is worth in a fight, and what bodies, sides and growth are: [fights](fights.md).
"""
