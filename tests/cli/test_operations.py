"""The dashboard and the alarms use figures that daemons export; the runbook knows every alarm."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from chainbeasts.backend.cli.commands import app, load_commands
from chainbeasts.backend.monitoring.health import Health, Spent
from chainbeasts.trainer.defend.metrics import DefenderMetrics
from chainbeasts.validator.operations.metrics import ValidatorMetrics

DOCS = Path(__file__).parents[2] / "docs"
RUNBOOK = DOCS / "guides" / "operations.md"
DASHBOARD = json.loads((DOCS / "examples" / "grafana-dashboard.json").read_text("utf-8"))
ALARMS = (DOCS / "examples" / "prometheus-alerts.yml").read_text("utf-8")
FIGURE = r"\bchainbeasts_(?:validator|defender|api)_\w+"
NEVER_SET = {"chainbeasts_api_next_deadline_timestamp_seconds"}
"""All daemons have it; an API has no deadlines."""


def monitors() -> list[Health]:
    """What daemons export, each after a good pass in which those that sign had moved."""
    validator, defender, api = ValidatorMetrics(), DefenderMetrics(), Health("api")
    validator.counted({"valid": 1})
    validator.governed(1, 1)
    validator.replayed(1, 0.1)
    for one in (validator, defender):
        one.funded(10**18, 10**18)
        one.passed(head=1, indexed=1, disputes=0, costs={"file": Spent(1, 1)})
    api.passed(head=1, indexed=1, disputes=0)
    return [validator, defender, api]


def exported(monitor: Health) -> set[str]:
    """The names of a daemon's samples."""
    samples = (sample.name for family in monitor.registry.collect() for sample in family.samples)
    return {name for name in samples if not name.endswith("_created")} - NEVER_SET


@pytest.fixture(scope="module")
def figures() -> set[str]:
    return set().union(*map(exported, monitors()))


def panels() -> Iterator[dict[str, Any]]:
    yield from (panel for panel in DASHBOARD["panels"] if panel["type"] != "row")


def expressions() -> list[str]:
    return [target["expr"] for panel in panels() for target in panel["targets"]]


def anchors(path: Path) -> set[str]:
    """What a link may name in a document."""
    headings = re.findall(r"^#+ (.+)$", path.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", one).lower().replace(" ", "-") for one in headings}


def test_the_dashboard_shows_every_figure_and_no_other(figures: set[str]) -> None:
    shown = set(re.findall(FIGURE, "\n".join(expressions())))
    assert shown <= figures, shown - figures
    assert figures <= shown, figures - shown


def test_the_panels_do_not_overlap() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        cells = {
            (place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])
        }
        assert not cells & taken, panel["title"]
        assert max(x for x, _ in cells) < 24
        taken |= cells
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])


def test_the_alarms_watch_what_is_exported_and_are_in_the_runbook(figures: set[str]) -> None:
    rules = re.findall(
        r"- alert: (\w+)\n +expr: (.+)\n(?: +for: \w+\n)? +labels: .+\n"
        r' +annotations: \{ runbook: "operations\.md#([\w-]+)" \}',
        ALARMS,
    )
    assert len(rules) == ALARMS.count("- alert:")
    for name, expression, anchor in rules:
        used = set(re.findall(FIGURE, expression))
        assert used <= figures, name
        assert used or "up{" in expression, name
        assert anchor in anchors(RUNBOOK), name
        assert anchor.replace("-", "") == name.lower()


def test_the_runbook_lists_every_figure(figures: set[str]) -> None:
    told = set(re.findall(r"\b[a-z]+(?:_[a-z]+)+\b", RUNBOOK.read_text("utf-8")))
    for figure in figures:
        name = re.sub(r"^chainbeasts_(validator|defender|api)_", "", figure)
        name = re.sub(r"_(bucket|count|sum)$", "", name)
        assert name in told | {"jobs"}, figure


def test_the_runbooks_links_and_commands_exist() -> None:
    text = RUNBOOK.read_text("utf-8")
    for file, anchor in re.findall(r"\]\(([\w./-]*)#([\w-]+)\)", text):
        assert anchor in anchors(RUNBOOK.parent / file if file else RUNBOOK), anchor
    for file in re.findall(r"docs/[\w./-]+\w", text):
        assert (DOCS.parent / file).exists(), file
    load_commands()
    root: Any = typer.main.get_command(app)
    named = re.findall(r"chainbeasts ([a-z]+)(?: ([a-z-]+))?", text)
    assert len(named) > 10
    for noun, verb in named:
        assert noun in root.commands, noun
        verbs = getattr(root.commands[noun], "commands", None)
        assert verbs is None or not verb or verb in verbs, f"{noun} {verb}"
