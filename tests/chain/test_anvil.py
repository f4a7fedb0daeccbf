"""Anvil as a child: ours and nobody else's, and gone when stopped."""

from __future__ import annotations

import json
import os
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import ClassVar, cast

import pytest

from chainbeasts.backend.chain import anvil as module
from chainbeasts.backend.chain.anvil import (
    DEVNET_CHAIN_ID,
    Anvil,
    AnvilError,
    port_in_use,
    rpc,
)
from chainbeasts.backend.chain.anvil_state import (
    dump,
    hush,
    last_good,
    left_by_anvil,
    settle,
)
from chainbeasts.backend.chain.toolchain import find_anvil
from chainbeasts.backend.errors import ChainBeastsError
from tests.support.patience import PATIENCE, eventually
from tests.support.ports import free_port
from tests.support.snapshots import go_back, nothing_mined


def script(path: Path, body: str) -> str:
    path.write_text(f"#!/bin/sh\n{body}\n", "utf-8")
    path.chmod(0o755)
    return str(path)


class ForeignNode(BaseHTTPRequestHandler):
    """Says that it serves the devnet's chain. Once it has, nobody waits for long for the child's
    own word that it listens."""

    asked: ClassVar[list[bytes]] = []

    def do_POST(self) -> None:
        module.START_SECONDS = 0.5
        self.asked.append(self.rfile.read(int(self.headers["Content-Length"])))
        answer = f'{{"jsonrpc": "2.0", "id": 1, "result": "{DEVNET_CHAIN_ID:#x}"}}'.encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        return


@contextmanager
def foreign_node_after(signal: Path, port: int) -> Iterator[None]:
    """Takes the port once the file is there, as somebody might between our look and our start."""
    servers: list[HTTPServer] = []

    def serve() -> None:
        eventually(signal.exists)
        servers.append(HTTPServer((module.HOST, port), ForeignNode))
        servers[0].serve_forever(poll_interval=0.02)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield
    finally:
        signal.touch()
        while not servers:
            time.sleep(0.01)
        servers[0].shutdown()
        thread.join()
        servers[0].server_close()


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_foreign_node_on_the_port_is_not_taken_for_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = tmp_path / "started"
    binary = script(tmp_path / "anvil", f"touch {started}\nexec sleep 600")
    monkeypatch.setenv("ANVIL_BINARY", binary)
    monkeypatch.setattr(module, "START_SECONDS", PATIENCE)
    monkeypatch.setattr(ForeignNode, "asked", [])
    child = Anvil(port=free_port(), state=tmp_path / "state.json")
    with (
        foreign_node_after(started, child.port),
        pytest.raises(AnvilError, match=f"Another node answers on port {child.port}") as caught,
    ):
        child.start()
    assert "--port" in caught.value.hint
    assert {json.loads(one)["method"] for one in ForeignNode.asked} == {"eth_chainId"}  # no hush
    with pytest.raises(AnvilError, match="has not been started"):
        _ = child.pid


def test_a_port_in_use_is_refused_before_a_child_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = tmp_path / "started"
    monkeypatch.setenv("ANVIL_BINARY", script(tmp_path / "anvil", f"touch {started}"))
    with socket.socket() as listener:
        listener.bind((module.HOST, 0))
        listener.listen()
        port = listener.getsockname()[1]
        with pytest.raises(AnvilError) as caught:
            Anvil(port=port).start()
    assert caught.value.message == f"Port {port} is already in use."
    assert "--port" in caught.value.hint
    assert not started.exists()


def test_a_port_that_was_free_and_went_to_somebody_else_is_drawn_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with socket.socket() as listener:
        listener.bind((module.HOST, 0))
        listener.listen()
        drawn = [listener.getsockname()[1], free_port(), free_port()]
        monkeypatch.setattr(module, "free_port", iter(drawn).__next__)
        with Anvil() as child:
            assert child.port == drawn[1]
        with Anvil(prefer=drawn[0]) as child:
            assert child.port == drawn[2]


def test_a_port_that_somebody_took_before_the_child_had_it_is_drawn_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried, anvil = tmp_path / "tried", find_anvil(None)
    told = 'echo "Error: Address already in use (os error 98)" >&2; exit 1'
    body = f'test -e {tried} || {{ touch {tried}; {told}; }}; exec {anvil} "$@"'
    monkeypatch.setenv("ANVIL_BINARY", script(tmp_path / "anvil", body))
    drawn = [free_port(), free_port()]
    monkeypatch.setattr(module, "free_port", iter(drawn).__next__)
    with Anvil() as child:
        assert child.port == drawn[1]


def test_a_missing_binary_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANVIL_BINARY", "/nowhere/anvil")
    with pytest.raises(ChainBeastsError) as caught:
        Anvil().start()
    assert str(caught.value) == "ANVIL_BINARY names /nowhere/anvil, which is not a file."


def test_a_child_that_dies_is_told_with_its_last_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    binary = script(tmp_path / "anvil", "echo no room on this machine >&2\nexit 3")
    monkeypatch.setenv("ANVIL_BINARY", binary)
    with pytest.raises(AnvilError, match="Anvil ended at once: no room on this machine"):
        Anvil().start()


def test_a_refused_option_is_told_with_the_reason() -> None:
    with pytest.raises(AnvilError, match="similar argument exists"):
        Anvil(extra=["--no-such-option"]).start()


def test_stop_ends_the_child_by_its_id_and_keeps_the_chain(
    anvil_process: Anvil, tmp_path: Path
) -> None:
    state, log = tmp_path / "state.json", tmp_path / "logs" / "anvil.log"
    first = Anvil(state=state, log=log, detached=True).start()
    pid = first.pid
    assert os.getsid(pid) == pid  # lives on without us
    rpc(first.url, "anvil_mine", "0x3")
    genesis = rpc(first.url, "eth_getBlockByNumber", "0x0", False)
    first.stop()
    assert not alive(pid)
    assert not port_in_use(first.port)
    assert alive(anvil_process.pid)  # another Anvil is none of our business
    assert f"{module.HOST}:{first.port}" in log.read_text("utf-8")
    for _ in range(4):  # each start makes a genesis block of its own, too
        with Anvil(state=state) as again:
            assert rpc(again.url, "eth_blockNumber") == "0x3"
            assert rpc(again.url, "eth_getBlockByNumber", "0x0", False) == genesis
    first.stop()  # a second time does nothing


def test_nothing_is_left_behind_by_a_child(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither in the folder of temporary files nor in Anvil's own, of up to 200 MB each."""
    monkeypatch.setenv("HOME", str(tmp_path / "no home"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with Anvil() as child:
        rpc(child.url, "anvil_mine", "0x258")  # more than it keeps in memory
        (scratch,) = tmp_path.iterdir()
        assert scratch.name.startswith("chainbeasts-anvil-")
        assert list(scratch.iterdir()), "Anvil keeps its old states elsewhere"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["", "[]", "{", '{"blocks": [1]}', '{"blocks": 3}'])
def test_a_damaged_chain_is_refused_and_left_alone(tmp_path: Path, text: str) -> None:
    state = tmp_path / "state.json"
    state.write_text(text)
    with pytest.raises(ChainBeastsError, match="is damaged") as error:
        Anvil(state=state).start()
    assert "--fresh" in error.value.hint
    last_good(state).write_text("{}")
    with pytest.raises(ChainBeastsError) as error:
        settle(state)
    assert f"devnet restore {last_good(state)}" in error.value.hint
    assert state.read_text() == text


def test_what_a_killed_anvil_was_writing_never_takes_the_kept_chains_place(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    kept = '{"blocks": [{"header": {"number": "0x0", "timestamp": "0x1"}}], "accounts": {}}'
    state.write_text(kept)
    left_by_anvil(state).write_text(kept[:-1])
    settle(state)
    assert state.read_text() == kept
    assert not left_by_anvil(state).exists()
    newer = kept.replace("0x1", "0x2")
    left_by_anvil(state).write_text(newer)
    settle(state)
    assert state.read_text() == newer
    assert not left_by_anvil(state).exists()


def test_a_chain_that_moves_meanwhile_is_not_half_written(anvil: Anvil, tmp_path: Path) -> None:
    state = tmp_path / "state.json"

    def busy(method: str, *params: object) -> object:
        answer = rpc(anvil.url, method, *params)
        if method == "anvil_dumpState":
            rpc(anvil.url, "evm_mine")
        return answer

    assert dump(state, busy) is None
    assert not state.exists()
    number = dump(state, partial(rpc, anvil.url))
    assert number == int(str(rpc(anvil.url, "eth_blockNumber")), 16)
    with Anvil(state=state) as again:
        assert int(str(rpc(again.url, "eth_blockNumber")), 16) == number
    assert last_good(state).exists()


def test_what_waits_may_be_in_a_half_written_block_unless_no_block_takes_it(
    anvil: Anvil, tmp_path: Path
) -> None:
    state, call = tmp_path / "state.json", partial(rpc, anvil.url)
    sender = cast("list[str]", rpc(anvil.url, "eth_accounts"))[0]
    nonce = int(str(rpc(anvil.url, "eth_getTransactionCount", sender, "latest")), 16)
    with nothing_mined(call):
        rpc(anvil.url, "eth_sendTransaction", {"from": sender, "to": sender})
        assert dump(state, call) is None
        assert dump(state, call, stuck=True) is not None
        hush(call)
        assert dump(state, call) is not None
        assert json.loads(state.read_text())["accounts"][sender.lower()]["nonce"] == nonce + 1


def test_rpc_tells_silence_from_refusal(anvil: Anvil) -> None:
    url = f"http://{module.HOST}:{free_port()}"
    with pytest.raises(AnvilError, match=f"No node answers at {url}"):
        rpc(url, "eth_chainId")
    with pytest.raises(AnvilError, match="refused no_such_method"):
        rpc(anvil.url, "no_such_method")


def test_the_child_runs_under_the_rules_we_count_on(anvil: Anvil) -> None:
    block = rpc(anvil.url, "eth_getBlockByNumber", "latest", False)
    assert isinstance(block, dict)
    assert int(block["gasLimit"], 16) == module.BLOCK_GAS_LIMIT
    accounts = rpc(anvil.url, "eth_accounts")
    assert isinstance(accounts, list)
    call = {"from": accounts[0], "to": accounts[1], "gas": hex((1 << 24) + 1)}
    with pytest.raises(AnvilError, match=r"(?i)gas"):  # above EIP-7825's cap
        rpc(anvil.url, "eth_sendTransaction", call)
    sent = rpc(anvil.url, "eth_sendTransaction", call | {"gas": hex(1 << 24)})
    eventually(lambda: rpc(anvil.url, "eth_getTransactionReceipt", sent))


def test_a_kept_chain_whose_time_was_moved_forward_goes_on_from_there(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    times = []
    for seconds in (864_000, 0):
        with Anvil(state=state) as child:
            rpc(child.url, "evm_mine")
            times.append(timestamp(child))
            rpc(child.url, "evm_increaseTime", seconds)
            rpc(child.url, "evm_mine")
            times.append(timestamp(child))
    assert times == sorted(times)
    assert times[-1] - times[0] < 864_000 + 3_600


def timestamp(child: Anvil) -> int:
    latest = cast("dict[str, str]", rpc(child.url, "eth_getBlockByNumber", "latest", False))
    return int(latest["timestamp"], 16)


def test_what_comes_after_a_snapshot_leaves_nothing_behind(anvil: Anvil) -> None:
    """A transaction of a later nonce would be mined in another test, in place of its own."""
    call = partial(rpc, anvil.url)
    sender, other = cast("list[str]", call("eth_accounts"))[:2]
    used = int(str(call("eth_getTransactionCount", sender, "latest")), 16)
    snapshot = call("evm_snapshot")
    sent = {"from": sender, "to": other, "value": "0x1", "nonce": hex(used + 1)}
    call("eth_sendTransaction", sent)
    go_back(call, snapshot)
    call("eth_sendTransaction", sent | {"nonce": hex(used)})
    eventually(lambda: int(str(call("eth_getTransactionCount", sender, "latest")), 16) > used)
    assert int(str(call("eth_getTransactionCount", sender, "latest")), 16) == used + 1
    eventually(lambda: call("txpool_status") == {"pending": "0x0", "queued": "0x0"})
