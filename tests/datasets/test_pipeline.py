"""The pipeline and its demonstrations: cached, streamed, resumed at the next step."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.kernel.rules import Rules
from chainbeasts.backend.kernel.samples import Source
from chainbeasts.backend.kernel.state import decode_state, encode_state, state_hash
from chainbeasts.backend.kernel.tables import FORMER_KERNELS, KERNEL_ID
from chainbeasts.backend.kernel.window import genesis_state, learn
from chainbeasts.backend.monitoring.training import TrainingMetrics
from chainbeasts.trainer.datasets.checkpoint_file import TrainingCheckpoint, load, save
from chainbeasts.trainer.datasets.pipeline import DEMO_DNA, _context, run_dataset_pipeline
from chainbeasts.trainer.datasets.producers import MemoryProducer
from chainbeasts.trainer.metrics.sinks import fan_out
from tests.datasets.conftest import records
from tests.support.forked import Program

WORDS = records(150)
BASE = MemoryProducer(WORDS)


class Kept:
    """A sink that keeps what it is told."""

    def __init__(self) -> None:
        self.messages: list[TrainingMetrics] = []

    def send(self, metrics: TrainingMetrics) -> None:
        self.messages.append(metrics)


def test_the_brain_learns_the_records_in_their_order() -> None:
    sink = Kept()
    run = run_dataset_pipeline(BASE, "train.cache", 2, sink)
    ctx, wanted = _context(DEMO_DNA, Rules()), genesis_state(0, DEMO_DNA)
    assert ctx.source is Source.CURRICULUM
    for word in WORDS * 2:
        learn(ctx, wanted, word)
    assert np.array_equal(run.state.weights, wanted.weights)
    assert [message.step for message in sink.messages] == [128, 256, 300]
    assert sum(message.steps for message in sink.messages) == run.last == 300
    assert len({message.run for message in sink.messages}) == 1


def test_a_run_in_pieces_ends_like_one_in_one_piece(tmp_path: Path) -> None:
    whole = run_dataset_pipeline(BASE, "train.cache", 3, fan_out())
    file = tmp_path / "trainer.ckpt"
    for number in range(3):
        piece = run_dataset_pipeline(BASE, "train.cache", 1, fan_out(), checkpoint=file)
        assert (piece.first, piece.last) == (150 * number, 150 * (number + 1))
    assert np.array_equal(piece.state.weights, whole.state.weights)
    assert piece.state.header.global_step == whole.state.header.global_step == 450


def test_a_second_run_on_a_checkpoint_is_refused(tmp_path: Path) -> None:
    """The two would undo each other's steps."""
    file = tmp_path / "trainer.ckpt"
    refused: list[str] = []

    def second(done: int, total: int) -> None:
        with pytest.raises(ChainBeastsError, match="Another run trains") as error:
            run_dataset_pipeline(BASE, "train.cache", 1, fan_out(), checkpoint=file)
        refused.append(error.value.hint)

    run_dataset_pipeline(BASE, "train.cache", 1, fan_out(), checkpoint=file, on_block=second)
    assert refused
    again = run_dataset_pipeline(BASE, "train.cache", 1, fan_out(), checkpoint=file)
    assert (again.first, again.last) == (150, 300)


def test_a_killed_run_goes_on_from_its_checkpoint(tmp_path: Path) -> None:
    file = tmp_path / "trainer.ckpt"
    program = (
        "import os, sys, signal\n"
        "from pathlib import Path\n"
        "from tests.datasets.test_pipeline import BASE, fan_out, run_dataset_pipeline\n"
        "def kill(done, total):\n"
        "    if done > 200: os.kill(os.getpid(), signal.SIGKILL)\n"
        "run_dataset_pipeline(BASE, 'train.cache', 3, fan_out(),\n"
        "                     checkpoint=Path(sys.argv[1]), on_block=kill)\n"
    )
    done = subprocess.run([sys.executable, "-c", program, str(file)], env=dict(os.environ))
    assert done.returncode == -9
    rest = run_dataset_pipeline(BASE, "train.cache", 1, fan_out(), checkpoint=file)
    assert rest.first == 256
    ctx, wanted = _context(DEMO_DNA, Rules()), genesis_state(0, DEMO_DNA)
    for word in (WORDS * 3)[: rest.last]:
        learn(ctx, wanted, word)
    assert np.array_equal(rest.state.weights, wanted.weights)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A checkpoint of a run."""
    path = tmp_path / "trainer.ckpt"
    run_dataset_pipeline(BASE, "train.cache", 1, fan_out(), checkpoint=path)
    return path


def test_a_checkpoint_of_another_run_is_refused_and_left_alone(file: Path) -> None:
    before = file.read_bytes()
    with pytest.raises(ChainBeastsError, match="of another beast"):
        run_dataset_pipeline(BASE, "train.cache", 1, fan_out(), checkpoint=file, dna=bytes(32))
    other = MemoryProducer(records(9), version="2")
    with pytest.raises(ChainBeastsError, match="of another dataset"):
        run_dataset_pipeline(other, "other.cache", 1, fan_out(), checkpoint=file)
    assert file.read_bytes() == before


def test_a_checkpoint_of_another_kernel_is_refused(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chainbeasts.trainer.datasets.checkpoint_file.KERNEL_ID", bytes(32))
    with pytest.raises(ChainBeastsError, match="of another kernel, chainbeasts-kernel-2"):
        run_dataset_pipeline(BASE, "train.cache", 1, fan_out(), checkpoint=file)


def test_a_checkpoint_of_kernel_1_is_refused_by_its_id(file: Path) -> None:
    signed = file.read_bytes()[:-32]
    old = signed.replace(KERNEL_ID.hex().encode(), next(iter(FORMER_KERNELS)).hex().encode())
    file.write_bytes(old + hashlib.sha256(old).digest())
    with pytest.raises(ChainBeastsError, match="of another kernel, chainbeasts-kernel-1"):
        run_dataset_pipeline(BASE, "train.cache", 1, fan_out(), checkpoint=file)


@pytest.mark.parametrize("part", [0.0, 0.001, 0.5, 0.9999])
def test_a_damaged_checkpoint_is_refused_and_left_alone(file: Path, part: float) -> None:
    data = bytearray(file.read_bytes())
    data[int(part * len(data))] ^= 1
    for damaged in (bytes(data), file.read_bytes()[: int(part * len(data))]):
        file.write_bytes(damaged)
        with pytest.raises(ChainBeastsError, match="is damaged"):
            run_dataset_pipeline(BASE, "train.cache", 1, fan_out(), checkpoint=file)
        assert file.read_bytes() == damaged


def test_a_checkpoint_keeps_everything(tmp_path: Path) -> None:
    state = genesis_state(0, DEMO_DNA)
    state.update(global_step=7)
    kept = TrainingCheckpoint(DEMO_DNA, "d" * 64, 7, state)
    save(tmp_path / "c", kept)
    found = load(tmp_path / "c", DEMO_DNA, "d" * 64)
    assert found is not None
    assert found.position == 7
    assert state_hash(found.state) == state_hash(decode_state(encode_state(state)))
    assert load(tmp_path / "nothing", DEMO_DNA, "d" * 64) is None
    with pytest.raises(ChainBeastsError, match="cannot be written"):
        save(tmp_path / "c" / "below a file", kept)


@dataclass
class Tools:
    """The console scripts."""

    program: Program
    folder: Path

    def run(self, name: str, *arguments: str, code: int = 0) -> str:
        """What a script prints on stdout, or on stderr if it fails."""
        done = self.program.run(arguments, os.environ, script=name, folder=self.folder)
        assert done.returncode == code, done.stderr
        assert "Traceback" not in done.stderr
        return done.stdout if code == 0 else done.stderr


@pytest.fixture
def tools(program: Program, tmp_path: Path) -> Tools:
    return Tools(program, tmp_path)


def test_the_checkpoint_demo_resumes_at_the_next_step(tools: Tools, tmp_path: Path) -> None:
    first = json.loads(tools.run("checkpoint_demo", "--json"))
    again = json.loads(tools.run("checkpoint_demo", "--json"))
    assert (first["first_step"], first["last_step"]) == (0, 600)
    assert (again["first_step"], again["last_step"]) == (600, 1200)
    assert (tmp_path / "trainer.ckpt").exists()
    (tmp_path / "trainer.ckpt").write_bytes(b"something else")
    assert "is damaged" in tools.run("checkpoint_demo", code=1)


def test_the_metrics_demo_needs_no_server(tools: Tools) -> None:
    told = json.loads(tools.run("metrics_demo", "--epochs", "2", "--json"))
    assert told["last_step"] == 1200
    assert told["messages_sent"] == 0
    assert "cannot be read" in tools.run("metrics_demo", "--data", "none.csv", code=1)


def test_dataset_convert_there_and_back(tools: Tools, tmp_path: Path) -> None:
    samples = Path(__file__).parents[2] / "examples" / "battle_samples.csv"
    tools.run("dataset_convert", "--csv", str(samples), "-o", "battle.hdf5")
    tools.run("dataset_convert", "--hdf5", "battle.hdf5", "-o", "back.csv")
    assert (tmp_path / "back.csv").read_bytes() == samples.read_bytes()
    tools.run("dataset_convert", "--hdf5", "battle.hdf5", "-o", "battle.zst")
    tools.run("dataset_convert", "--words", "battle.zst", "-o", "again.csv")
    assert (tmp_path / "again.csv").read_bytes() == samples.read_bytes()
    assert "Usage" in tools.run("dataset_convert", "-o", "x.csv", code=2)


def test_inspect_counts_and_draws(tools: Tools, tmp_path: Path) -> None:
    samples = Path(__file__).parents[2] / "examples" / "battle_samples.csv"
    inspect = ("chainbeasts", "dataset", "inspect", str(samples))
    told = json.loads(tools.run(*inspect, "--json"))
    assert told["records"] == sum(told["moves"].values()) == sum(told["attacks"].values()) == 600
    drawn = tools.run(*inspect, "--boards", "2")
    assert drawn.count("S ") >= 2
    assert "# wall" in drawn
    for words in (("inspect", "none.csv"), ("convert", "none.csv", "out.hdf5")):
        said = tools.run("chainbeasts", "dataset", *words, code=1)
        assert "none.csv cannot be read" in said
    assert not (tmp_path / "out.hdf5").exists()
