"""The coach's notebook runs from its first cell to its last."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

NOTEBOOK = Path(__file__).resolve().parents[2] / "examples" / "coach.ipynb"


def test_the_coachs_notebook_compares_plans(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    notebook = json.loads(NOTEBOOK.read_text("utf-8"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "Agg")
    monkeypatch.setenv("CHAINBEASTS_HOME", str(tmp_path))
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    monkeypatch.setenv("PATH", path)
    names: dict[str, Any] = {}
    for cell in notebook["cells"]:
        assert not cell.get("outputs")  # what is committed is what everybody runs anew
        if cell["cell_type"] == "code":
            exec("".join(cell["source"]), names)
    assert (tmp_path / "learning.png").stat().st_size > 1_000
    plans, gauntlet = names["PLANS"], names["gauntlet"]
    assert {place["name"] for place in gauntlet["standings"]} == {f"{one}.json" for one in plans}
    for report in names["reports"].values():
        before, after = report["held_out"]["before"], report["held_out"]["after"]
        assert after["move_accuracy"] > before["move_accuracy"]
    assert capsys.readouterr().out.count(" won,") == len(plans)
