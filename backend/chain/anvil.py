"""Anvil as a managed child process: started, checked to be ours, stopped by its id."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from chainbeasts.backend.cache import ScratchFolder
from chainbeasts.backend.chain.answers import most_bytes
from chainbeasts.backend.chain.anvil_state import hush, keep_last_good, left_by_anvil, settle
from chainbeasts.backend.chain.clock import CallClock
from chainbeasts.backend.chain.hosts import is_loopback
from chainbeasts.backend.chain.http_line import HttpLine
from chainbeasts.backend.chain.toolchain import find_anvil
from chainbeasts.backend.errors import ChainBeastsError

RPC_SECONDS = 30.0
"""A node on a machine with much else to do takes seconds for what it has been asked meanwhile."""

DEVNET_ACCOUNTS = 10
DEVNET_CHAIN_ID = 31_337
MNEMONIC = "test test test test test test test test test test test junk"
"""Everybody's development accounts. Worth nothing anywhere."""

BLOCK_GAS_LIMIT = 60_000_000
HOST = "127.0.0.1"
OTHER_PORTS = 3
"""How many more are drawn where somebody took the one that was."""

TAKEN = ("address already in use", "addrinuse")
"""What Anvil's last words have of a port that it does not get."""

START_SECONDS = 60.0
HUSH_SECONDS, STOP_SECONDS = 20.0, 30.0
SCRATCH = "anvil"
NEVER_SECONDS = 10 * 365 * 86_400
"""Anvil's own saving before its end, which it does in place, is put off as far as it goes."""


class AnvilError(ChainBeastsError):
    """Anvil did not start, or it is not ours that answers."""


class PortTakenError(AnvilError):
    """Somebody else listens on the port."""


def is_local_chain(chain_id: int, rpc_url: str) -> bool:
    """Whether raw keys may be used: Anvil's chain id, on this machine."""
    return chain_id == DEVNET_CHAIN_ID and is_loopback(rpc_url)


def free_port() -> int:
    """A TCP port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def port_in_use(port: int) -> bool:
    """Whether somebody listens on a local port."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex((HOST, port)) == 0


def rpc(url: str, method: str, *params: object, timeout: float | None = None) -> object:
    """One JSON-RPC call, for the few questions that are asked before there is a client.

    Args:
        timeout: seconds; ``RPC_SECONDS`` if None.

    Raises:
        AnvilError: nobody answers, or the answer is an error.
    """
    request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}
    clock = CallClock(RPC_SECONDS if timeout is None else timeout)
    try:
        with closing(HttpLine(url, clock)) as line:
            clock.begin()
            most = most_bytes(method, params)
            answer = line.exchange(1, json.dumps(request).encode(), most)
    except (ConnectionError, TimeoutError) as error:
        raise AnvilError(f"No node answers at {url} ({type(error).__name__}).") from None
    if (refusal := answer.get("error")) is not None:
        said = refusal.get("message") if isinstance(refusal, dict) else refusal
        raise AnvilError(f"The node at {url} refused {method}: {said}.")
    return answer.get("result")


class Anvil:
    """An Anvil child under the rules of Osaka with the 2^24 transaction gas cap.

    Use it as a context manager, or call ``start`` and ``stop``. With ``detached`` the child lives
    on after this process; its id is ``pid``.

    Args:
        port: listen here; a free port if None, another one than at first if that is taken by then.
        prefer: where ``port`` is None, begin with this one.
        block_time: seconds between blocks; None mines a block for each transaction.
        state: file that keeps the chain between runs; written when the child ends, and by whoever
            calls ``anvil_state.dump`` meanwhile.
        log: file for Anvil's output, which is added to; a temporary one if None.
        home: whose tools are looked at for Anvil; the environment's or the nearest if None.
    """

    def __init__(
        self,
        *,
        port: int | None = None,
        prefer: int | None = None,
        block_time: float | None = None,
        state: Path | None = None,
        log: Path | None = None,
        chain_id: int = DEVNET_CHAIN_ID,
        accounts: int = DEVNET_ACCOUNTS,
        detached: bool = False,
        extra: Sequence[str] = (),
        home: Path | None = None,
    ) -> None:
        self.port = port or prefer or free_port()
        self._any_port = port is None
        self._listens = False
        self._kept_until = 0
        self.chain_id = chain_id
        self._block_time = block_time
        self._state = state
        self._log = log
        self._accounts = accounts
        self.detached = detached
        self._extra = tuple(extra)
        self._home = home
        self._process: subprocess.Popen[bytes] | None = None
        self._output: IO[bytes] | None = None
        self._output_start = 0
        self._scratch: ScratchFolder | None = None

    @property
    def url(self) -> str:
        """The HTTP endpoint; the same port speaks WebSocket."""
        return f"http://{HOST}:{self.port}"

    @property
    def ws_url(self) -> str:
        return f"ws://{HOST}:{self.port}"

    @property
    def pid(self) -> int:
        """The child's process id.

        Raises:
            AnvilError: it has not been started.
        """
        if self._process is None:
            raise AnvilError("Anvil has not been started.")
        return self._process.pid

    def _command(self) -> list[str]:
        command = [str(find_anvil(self._home)), "--host", HOST, "--port", str(self.port)]
        command += ["--hardfork", "osaka", "--enable-tx-gas-limit"]
        command += ["--gas-limit", str(BLOCK_GAS_LIMIT), "--chain-id", str(self.chain_id)]
        command += ["--mnemonic", MNEMONIC, "--accounts", str(self._accounts)]
        if self._block_time is not None:
            command += ["--block-time", f"{self._block_time:g}", "--mixed-mining"]
        if self._state is not None:
            if self._state.exists():
                command += ["--load-state", str(self._state)]
            command += ["--dump-state", str(left_by_anvil(self._state))]
            command += ["--state-interval", str(NEVER_SECONDS)]
        return [*command, *self._extra]

    def start(self) -> Self:
        """Start the child and wait until it answers.

        Raises:
            AnvilError: the port is taken, the child died, or another node answers.
            ChainBeastsError: Anvil is not installed, or the kept chain is damaged.
        """
        self._kept_until = 0 if self._state is None else settle(self._state)
        # Nobody holds a free port before the child listens there, so others may have it by then.
        for _ in range(OTHER_PORTS if self._any_port else 0):
            try:
                return self._start()
            except PortTakenError:
                self.port = free_port()
        return self._start()

    def _start(self) -> Self:
        command = self._command()
        if port_in_use(self.port):
            raise PortTakenError(
                f"Port {self.port} is already in use.", "Choose another one with --port."
            )
        try:
            self._spawn(command)
            self._wait_until_ours()
            if self._state is not None:
                keep_last_good(self._state)
                self._keep_time_from_going_back()
        except BaseException:
            self.stop()
            raise
        return self

    def _spawn(self, command: list[str]) -> None:
        """Start the child, with a folder for old states that goes when both of us are gone.

        Anvil leaves its own folder of them behind, of up to 200 MB, however it ends.
        """
        kept_for = None if self._state is None else self._state.parent
        self._scratch = ScratchFolder(SCRATCH, kept_for)
        self._output = self._open_log()
        self._output_start = os.fstat(self._output.fileno()).st_size
        self._process = subprocess.Popen(
            [*command, "--cache-path", str(self._scratch.path)],
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=subprocess.STDOUT,
            start_new_session=self.detached,
            pass_fds=(self._scratch.handle,),
        )

    def _open_log(self) -> IO[bytes]:
        if self._log is None:
            return tempfile.TemporaryFile()
        self._log.parent.mkdir(parents=True, exist_ok=True)
        return self._log.open("a+b")  # so that whoever shortens it meanwhile leaves no hole

    def _wait_until_ours(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self._process is not None and self._process.poll() is not None:
                told = f"Anvil ended at once: {self._last_words()}"
                raise (PortTakenError if self._lost_its_port() else AnvilError)(told)
            try:
                answered = rpc(self.url, "eth_chainId", timeout=1.0)
            except AnvilError:
                time.sleep(0.05)
                continue
            same_chain = answered == hex(self.chain_id)
            if same_chain and self._answers_as_child():
                self._listens = True
                return
            # Of the same chain it may also be the child, which is slow, or has ended since.
            taken = not same_chain or self._lost_its_port()
            if not taken and self._process is not None and self._process.poll() is not None:
                raise AnvilError(f"Anvil ended at once: {self._last_words()}")
            raise (PortTakenError if taken else AnvilError)(
                f"Another node answers on port {self.port}.", "Choose another port with --port."
            )
        raise AnvilError(f"Anvil did not answer within {START_SECONDS:g} s: {self._last_words()}")

    def _keep_time_from_going_back(self) -> None:
        """A kept chain may be ahead of the machine's clock: somebody moved its time forward, or the
        clock back. Anvil would give the next block that clock's time all the same."""
        # Not from the latest block: whoever waits for this chain may have had one made by now.
        ahead = self._kept_until - int(time.time())
        if ahead > 0:
            rpc(self.url, "evm_increaseTime", ahead)

    def _answers_as_child(self) -> bool:
        """Whether the socket that answers belongs to the child.

        A listening port has one owner: a living child that says it listens there is the one.
        """
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self._process is None or self._process.poll() is not None:
                return False
            if f"Listening on {HOST}:{self.port}" in self._read_log():
                return True
            time.sleep(0.02)
        return False

    def _read_log(self) -> str:
        if self._output is None:
            return ""
        return os.pread(self._output.fileno(), 1 << 20, self._output_start).decode(
            "utf-8", "replace"
        )

    def _lost_its_port(self) -> bool:
        """Whether the child says that somebody else listens on its port."""
        said = self._last_words().lower()
        return any(words in said for words in TAKEN)

    def _last_words(self) -> str:
        lines = [line for line in self._read_log().splitlines() if line.strip()]
        return " ".join(lines[-3:]) or "it said nothing"

    def stop(self) -> None:
        """End the child by its id and wait for it; its state file is written first."""
        process, self._process = self._process, None
        listened, self._listens = self._listens, False
        if process is not None and process.poll() is None:
            if self._state is not None and listened:  # or it is somebody else who listens there
                with suppress(AnvilError):  # one that does not answer is ended all the same
                    hush(partial(rpc, self.url, timeout=HUSH_SECONDS))
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if self._output is not None:
            self._output.close()
            self._output = None
        if self._scratch is not None:
            self._scratch.close()
            self._scratch = None
        if process is not None and self._state is not None:
            settle(self._state)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
