"""What a release is made by: workflows whose actions are pinned, and its bill of materials."""

from __future__ import annotations

import json
import re
import subprocess
import sysconfig
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

from scripts.lib.sbom import document
from tests.wheel.conftest import ROOT

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
PINNED = re.compile(r"[\w.-]+/[\w.-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")
ZIZMOR = Path(sysconfig.get_path("scripts")) / "zizmor"
"""Static analysis of workflows: their schema, what a script is made of, who holds which right."""


@pytest.fixture(scope="module")
def bill() -> dict[str, Any]:
    return document()


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_actions_are_pinned_by_digest(workflow: Path) -> None:
    used = re.findall(r"uses: (.+)", workflow.read_text("utf-8"))
    assert used
    assert [one for one in used if not PINNED.fullmatch(one)] == []


def examined(*workflows: Path) -> subprocess.CompletedProcess[str]:
    """What zizmor says, which looks at nothing but these files."""
    command = [ZIZMOR, "--offline", "--no-progress", "--strict-collection", *workflows]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_workflows_are_valid_and_hand_nothing_out() -> None:
    done = examined(*WORKFLOWS)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("runs-on:", "runs_on:"),
        ('echo "$SUMS"', 'echo "${{ needs.build.outputs.sums }}"'),
        ("persist-credentials: false", "fetch-depth: 1"),
    ],
)
def test_a_fault_of_a_workflow_is_seen(tmp_path: Path, right: str, wrong: str) -> None:
    text = (ROOT / ".github" / "workflows" / "release.yml").read_text("utf-8")
    folder = tmp_path / ".github" / "workflows"
    folder.mkdir(parents=True)
    (folder / "release.yml").write_text(text.replace(right, wrong), "utf-8")
    assert text.count(right)
    assert examined(folder / "release.yml").returncode != 0


def test_the_bill_lists_what_the_locks_pin(bill: dict[str, Any]) -> None:
    components = {one["purl"]: one for one in bill["components"]}
    assert len(components) == len(bill["components"])
    names = {one["name"].lower() for one in bill["components"]}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = {Requirement(one).name.lower() for one in project["dependencies"]}
    tools = json.loads((ROOT / "package.json").read_text("utf-8"))
    assert wanted | set(tools["dependencies"]) <= names
    assert not names & set(tools["devDependencies"])
    assert all(one["externalReferences"] for purl, one in components.items() if "pypi" in purl)
    solc = components[f"pkg:npm/solc@{tools['dependencies']['solc']}"]
    assert len(solc["hashes"][0]["content"]) == 128


def test_the_bill_is_the_same_for_the_same_locks(bill: dict[str, Any]) -> None:
    assert document() == bill
    assert bill["metadata"]["component"]["name"] == "chainbeasts"
    assert re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", bill["serialNumber"])
