"""A run's log: appending, torn lines, and what a reader says about bad ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.monitoring.training import TrainingMetrics
from chainbeasts.trainer.metrics.log import MetricsLog, read_log
from chainbeasts.trainer.metrics.sinks import fan_out
from tests.metrics.figures import figures, text


class Kept:
    """A sink that keeps."""

    def __init__(self) -> None:
        self.messages: list[TrainingMetrics] = []

    def send(self, metrics: TrainingMetrics) -> None:
        self.messages.append(metrics)


def test_messages_are_in_the_file_as_soon_as_they_are_sent(tmp_path: Path) -> None:
    path = tmp_path / "new" / "run.jsonl"
    sent = [figures(step, energy=10**20) for step in range(3)]
    with MetricsLog(path) as log:
        for count, one in enumerate(sent, 1):
            log.send(one)
            assert read_log(path) == sent[:count]
    with MetricsLog(path) as log:
        log.send(figures(3))
    assert read_log(path) == [*sent, figures(3)]


def test_fan_out_gives_every_sink_every_message(tmp_path: Path) -> None:
    kept = Kept()
    with MetricsLog(tmp_path / "log") as log:
        fan_out(log, kept).send(figures(1))
    assert kept.messages == read_log(tmp_path / "log") == [figures(1)]
    fan_out().send(figures(1))


@pytest.mark.parametrize("cut", [1, 5, len(text(2))])
def test_a_torn_last_line_is_left_out_and_cut_away_before_going_on(
    tmp_path: Path, cut: int
) -> None:
    path = tmp_path / "log"
    path.write_text(text(1) + "\n" + text(2)[:cut])
    assert read_log(path) == [figures(1)]
    with MetricsLog(path) as log:
        log.send(figures(3))
    assert read_log(path) == [figures(1), figures(3)]


def test_a_torn_line_longer_than_a_block_is_cut_away(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text(text(1) + "\n" + "x" * 200_000)
    MetricsLog(path).close()
    assert path.read_text() == text(1) + "\n"
    path.write_text("x" * 200_000)
    MetricsLog(path).close()
    assert path.read_text() == ""


def test_a_line_that_is_no_message_is_named(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text(text(1) + "\n{}\n" + text(2) + "\n")
    with pytest.raises(ChainBeastsError, match="Line 2 of"):
        read_log(path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ChainBeastsError, match="cannot be read: No such file"):
        read_log(tmp_path / "none")
    with pytest.raises(ChainBeastsError, match="cannot be opened: Is a directory"):
        MetricsLog(tmp_path)


def test_a_disk_that_is_full_is_counted_and_not_raised() -> None:
    with MetricsLog(Path("/dev/full")) as log:
        log.send(figures(1))
        log.send(figures(2))
        assert log.dropped == 2
    log.send(figures(3))
    assert log.dropped == 3
