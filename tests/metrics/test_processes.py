"""Server and reader as processes of their own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner
from websockets.sync.client import connect
from websockets.sync.server import ServerConnection, serve

from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.trainer.cli.metrics import app
from chainbeasts.trainer.metrics.listener import complete_url, listen
from chainbeasts.trainer.metrics.streamer import MetricsStreamer
from tests.metrics.figures import figures, served, text
from tests.support.patience import PATIENCE
from tests.support.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "scripts" / "metrics_server.py"
COMMAND = Path(sys.executable).with_name("chainbeasts")


def start(*command: object, **environment: str) -> subprocess.Popen[str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("CHAINBEASTS_", "METRICS_"))
    }
    return subprocess.Popen(
        [str(word) for word in command],
        env=kept | {"NO_COLOR": "1"} | environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@contextmanager
def ended(process: subprocess.Popen[str]) -> Iterator[subprocess.Popen[str]]:
    """See to it that a process ends with the test."""
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def url_of(process: subprocess.Popen[str]) -> str:
    """What a server with --json says once it listens."""
    assert process.stdout is not None
    said = ""
    while not said.endswith("}\n"):
        line = process.stdout.readline()
        assert line, process.stderr and process.stderr.read()
        said += line
    return str(json.loads(said)["url"])


def stop(process: subprocess.Popen[str], number: signal.Signals) -> str:
    """Send a signal; what was said on stderr by a process that ends well."""
    process.send_signal(number)
    _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, err
    assert "Traceback" not in err
    return err


def test_the_script_serves_until_it_is_told_to_stop_and_watch_reads_it() -> None:
    with ended(start("python3", SCRIPT, "--json", METRICS_PORT="0")) as server:
        url = url_of(server)
        port = int(url.split(":")[2].split("/")[0])
        with MetricsStreamer(port=port) as streamer:
            for step in range(3):
                streamer.send(figures(step, run="one"))
                streamer.send(figures(step, run="two", beast=1 << 60))
            streamer.close(PATIENCE)
        assert streamer.sent == 6
        watch = ("metrics", "watch", "--json", "--run", "two", "--messages", 3)
        with ended(start(COMMAND, *watch, METRICS_PORT=str(port))) as reader:
            out, err = reader.communicate(timeout=PATIENCE)
            assert (reader.returncode, err) == (0, "")
        assert out.splitlines() == [text(step, run="two", beast=1 << 60) for step in range(3)]
        with connect(url, proxy=None, open_timeout=PATIENCE) as client:
            assert client.recv() == text(0, run="one")
            err = stop(server, signal.SIGTERM)
            assert client.wait_closed(PATIENCE)
            assert (client.close_code, client.close_reason) == (1001, "the server stops")
        assert "metrics server listens" in err


def test_the_script_is_a_command_of_its_own() -> None:
    assert os.access(SCRIPT, os.X_OK)
    assert SCRIPT.read_text("utf-8").startswith("#!/usr/bin/env python3\n")


def test_a_port_in_use_or_none_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    with served() as server:
        monkeypatch.setenv("METRICS_PORT", str(server.port))
        done = CliRunner().invoke(app, ["serve"])
        assert isinstance(done.exception, ChainBeastsError)
        assert f"Port {server.port} on 127.0.0.1 is in use." in str(done.exception)
        assert "METRICS_PORT" in done.exception.hint
    monkeypatch.setenv("METRICS_PORT", "many")
    done = CliRunner().invoke(app, ["serve"])
    assert done.exit_code == 2
    assert "METRICS_PORT" in done.output


def test_watch_goes_on_when_the_server_comes_back_and_ends_at_ctrl_c() -> None:
    with ExitStack() as stack:
        port = free_port()
        with served(port) as server:
            url = server.url
            with connect(url, proxy=None, open_timeout=PATIENCE) as client:
                client.send(text(1))
                client.ping().wait(PATIENCE)
            reader = stack.enter_context(ended(start(COMMAND, "metrics", "watch", url)))
            assert reader.stdout is not None
            assert reader.stderr is not None
            assert reader.stdout.readline().startswith("beast-1  beast 1 · step 1 · curriculum")
        lost = "Connection lost (the server stops); trying again.\n"
        assert reader.stderr.readline() == lost
        with served(port):
            with connect(url, proxy=None, open_timeout=PATIENCE) as client:
                client.send(text(2))
            assert "step 2" in reader.stdout.readline()
            assert stop(reader, signal.SIGINT) == "Connected again.\n"


@contextmanager
def scripted(*visits: list[str]) -> Iterator[str]:
    """A server that tells each visitor its own messages and hangs up."""
    left = iter(visits)

    def attend(socket: ServerConnection) -> None:
        for one in next(left, []):
            socket.send(one)

    with serve(attend, "127.0.0.1", 0, open_timeout=PATIENCE) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"ws://127.0.0.1:{server.socket.getsockname()[1]}"
        finally:
            server.shutdown()
            thread.join()


def test_what_a_history_repeats_after_a_break_is_left_out() -> None:
    one, two, three, four = (text(step) for step in range(4))
    with scripted([one, two], [], [one, two, three], ["no message", two, three, four, one]) as url:
        heard = listen(url)
        assert [next(heard)[0] for _ in range(5)] == [one, two, three, four, one]
        heard.close()


def test_a_first_attempt_that_fails_is_one_sentence() -> None:
    for url, said in (
        ("http://127.0.0.1:1", "is no WebSocket address"),
        ("127.0.0.1:8765", "is no WebSocket address"),
        ("ws://127.0.0.1:99999", "is no WebSocket address"),
        ("ws://127.0.0.1:1", "There is no metrics server at ws://127.0.0.1:1/metrics: Connection"),
    ):
        with pytest.raises(ChainBeastsError, match=said):
            next(listen(url))
    assert complete_url("ws://h:1/x") == "ws://h:1/x"
