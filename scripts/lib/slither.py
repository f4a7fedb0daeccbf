"""Runs Slither over the contracts and holds what it finds against docs/audit/slither.md.

Fails on a finding that the page does not answer, and on an answer that nothing asks for any more.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chainbeasts.backend.cli.output import note, print_error, stderr
from chainbeasts.backend.errors import ChainBeastsError
from scripts.lib.forge_project import forge_environment, write_analysed_project
from scripts.lib.tool_env import ROOT, tool_bin

ANSWERS = ROOT / "docs" / "audit" / "slither.md"
EVERYWHERE = "everywhere"
_ROW = re.compile(r"^\| `(?P<detector>[\w-]+)` \| (?P<where>[^|]+) \| (?P<answer>[^|]+) \|$")


@dataclass(frozen=True, order=True)
class Finding:
    """What a detector objects to, and where: contract, function and variable, without lines."""

    detector: str
    where: str


def read_answers(text: str) -> set[Finding]:
    """What the page answers."""
    answered = set()
    for line in text.splitlines():
        row = _ROW.match(line)
        if row is None:
            continue
        places = re.findall(r"`([^`]+)`", row["where"]) or [row["where"].strip()]
        answered |= {Finding(row["detector"], place) for place in places}
    return answered


def _place(element: Mapping[str, Any]) -> str:
    names = [str(element["name"])]
    parent = element.get("type_specific_fields", {}).get("parent")
    while parent and parent["type"] in ("function", "contract"):
        names.insert(0, str(parent["name"]))
        parent = parent.get("type_specific_fields", {}).get("parent")
    return ".".join(names)


def read_findings(report: Mapping[str, Any]) -> set[Finding]:
    """What Slither's JSON report lists."""
    found = report["results"].get("detectors", ())
    return {Finding(one["check"], _place(one["elements"][0])) for one in found}


def compare(
    found: Iterable[Finding], answered: set[Finding]
) -> tuple[list[Finding], list[Finding]]:
    """Findings without an answer, and answers without a finding."""
    found = set(found)
    whole = {one.detector for one in answered if one.where == EVERYWHERE}
    unanswered = {one for one in found if one.detector not in whole} - answered
    asked = found | {Finding(one.detector, EVERYWHERE) for one in found}
    return sorted(unanswered), sorted(answered - asked)


def run() -> Mapping[str, Any]:
    """Slither's report on the contracts.

    Raises:
        ChainBeastsError: it, or the compiler, did not run.
    """
    slither = tool_bin("slither") / "slither"
    with tempfile.TemporaryDirectory(prefix="chainbeasts-slither-") as name:
        folder = Path(name)
        write_analysed_project(folder)
        report = folder / "report.json"
        command = [str(slither), ".", "--ignore-compile", "--json", str(report)]
        done = subprocess.run(
            [*command, "--filter-paths", "node_modules"],
            cwd=folder,
            env=forge_environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        if not report.exists():  # its exit code only says that it found something
            raise ChainBeastsError(f"Slither did not run:\n{done.stderr.strip()[-2_000:]}")
        result: dict[str, Any] = json.loads(report.read_text("utf-8"))
    if not result["success"]:
        raise ChainBeastsError(f"Slither did not run:\n{result['error']}")
    return result


def main() -> int:
    """Run and compare; the exit code."""
    argparse.ArgumentParser(prog="scripts/slither", description=__doc__).parse_args()
    try:
        found = read_findings(run())
    except ChainBeastsError as error:
        print_error(error)
        return 1
    unanswered, stale = compare(found, read_answers(ANSWERS.read_text("utf-8")))
    for one in unanswered:
        stderr.print(f"Without an answer: {one.detector} in {one.where}", highlight=False)
    for one in stale:
        stderr.print(f"Answers nothing any more: {one.detector} in {one.where}", highlight=False)
    note(f"Slither: {len(found)} findings, {len(unanswered)} without an answer.")
    return 1 if unanswered or stale else 0


if __name__ == "__main__":
    sys.exit(main())
