"""A proxy in front of a real node that fails, drops, delays, lags and answers nonsense.

Faults are chosen by a seeded generator at rates that may be changed at any time, or set down one by
one for the next calls of a method. What lasts (a head that stands, receipts that are not shown, a
second node behind the first, words of refusal, wrong logs) is switched on and off, and holds over
WebSockets as well; those can be dropped, too. Every call passes unharmed until somebody asks for
faults.
"""

from __future__ import annotations

import json
import random
import socket
import struct
import threading
import time
from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from email.policy import HTTP
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from eth_hash.auto import keccak

from scripts.lib.faulty_logs import LogFault, spoil
from scripts.lib.faulty_socket import Relay
from scripts.lib.wire import Wire

HOST = "127.0.0.1"
UPSTREAM_SECONDS = 120.0
ABORT = struct.pack("ii", 1, 0)
"""SO_LINGER that ends a connection with a reset, as a crash does."""


class Fault(StrEnum):
    """What happens to one request."""

    NONE = "none"
    ERROR = "error"
    """502, and the node never saw the request."""
    DROP_BEFORE = "drop before"
    """The connection breaks, and the node never saw the request."""
    DROP_AFTER = "drop after"
    """The node carried the request out; the connection breaks before the answer."""
    ERROR_AFTER = "error after"
    """The node carried the request out; the answer is a 504."""
    SLOW = "slow"
    """The answer comes ``delay`` seconds late."""
    DRIP = "drip"
    """The answer comes byte by byte, one each ``delay`` seconds."""
    PAGE = "page"
    """A page of HTML with status 200; this and all below: the node carried the request out."""
    CUT = "cut"
    """Half of the answer, as if it were whole."""
    OTHER_ID = "other id"
    """The answer to another call."""
    LIST = "list"
    """The answer as the one item of a batch."""
    NO_RESULT = "no result"
    """The result is null, whatever it was."""
    STRING_ERROR = "string error"
    """``"error": "rate limited"``, which is no error object."""
    NO_FEE = "no fee"
    """A block without its base fee; another answer as it is."""


ODD = (
    Fault.PAGE,
    Fault.CUT,
    Fault.OTHER_ID,
    Fault.LIST,
    Fault.NO_RESULT,
    Fault.STRING_ERROR,
    Fault.NO_FEE,
)
"""Answers of a wrong shape."""


class FaultyNode:
    """A node's endpoint with faults. Use it as a context manager, or call ``start`` and ``stop``.

    Args:
        upstream_url: ``http://…`` of the real node; it may go away and come back.
        seed: of the faults chosen at random.
    """

    def __init__(self, upstream_url: str, seed: int = 0) -> None:
        self.upstream_url = upstream_url
        self.seed = seed
        self.delay = 0.5
        self.down = False
        """While true every connection is refused service, as if the node's machine were off."""
        self.hides_receipts = False
        """While true no receipt is shown, of whatever transaction."""
        self.refusal: str | None = None
        """While set every transaction is refused in these words, and not passed on."""
        self.swallows = False
        """While true transactions are taken and kept, and no block has them; see ``release``."""
        self._swallowed: list[dict[str, Any]] = []
        self.head: int | None = None
        """While set this is the latest block that the node knows of: its head stands still."""
        self.lag = 0
        self.lag_share = 0.0
        """Share of calls that a second node answers, which is ``lag`` blocks late."""
        self.calls: Counter[str] = Counter()
        """Calls by method that came in, faulty ones included."""
        self.faults: Counter[Fault] = Counter()
        self.log_faults: Counter[LogFault] = Counter()
        self._random = random.Random(seed)
        self._log_random = random.Random(seed)
        self._log_rate = 0.0
        self._log_kinds: tuple[LogFault, ...] = tuple(LogFault)
        self._rates: dict[Fault, float] = {}
        self._methods: frozenset[str] | None = None
        self._planned: dict[str, deque[Fault]] = defaultdict(deque)
        self._lock = threading.Lock()
        self._sockets: set[socket.socket] = set()
        self._server: ThreadingHTTPServer | None = None
        self._wire = Wire(self.upstream_url, UPSTREAM_SECONDS)

    # --- life -----------------------------------------------------------------------------------

    def start(self) -> Self:
        """Listen on a free port of loopback."""
        self._server = _Server((HOST, 0), _handler(self))
        threading.Thread(
            target=self._server.serve_forever, args=(0.05,), name="faulty node", daemon=True
        ).start()
        return self

    def stop(self) -> None:
        """Stop listening and break what is open."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None
        self.drop_websockets()
        self._wire.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """The HTTP endpoint; the same port speaks WebSocket."""
        assert self._server is not None
        return f"http://{HOST}:{self._server.server_address[1]}"

    @property
    def ws_url(self) -> str:
        return self.url.replace("http", "ws", 1)

    # --- faults ---------------------------------------------------------------------------------

    def misbehave(
        self,
        *,
        errors: float = 0.0,
        drops_before: float = 0.0,
        drops_after: float = 0.0,
        errors_after: float = 0.0,
        slow: float = 0.0,
        odd: float = 0.0,
        delay: float | None = None,
        methods: frozenset[str] | set[str] | None = None,
    ) -> None:
        """Set the rates at which HTTP requests suffer; those not given become 0.

        Args:
            odd: of answers of a wrong shape, all shapes together.
            delay: seconds that a slow answer is late.
            methods: only calls of these suffer; all if None.
        """
        with self._lock:
            self._rates = {
                Fault.ERROR: errors,
                Fault.DROP_BEFORE: drops_before,
                Fault.DROP_AFTER: drops_after,
                Fault.ERROR_AFTER: errors_after,
                Fault.SLOW: slow,
            } | dict.fromkeys(ODD, odd / len(ODD))
            self._methods = None if methods is None else frozenset(methods)
            if delay is not None:
                self.delay = delay

    def misreport_logs(self, rate: float, kinds: Iterable[LogFault] = LogFault) -> None:
        """Set the share of the answers to ``eth_getLogs`` that are wrong.

        Args:
            kinds: what may be wrong with them.
        """
        with self._lock:
            self._log_rate, self._log_kinds = rate, tuple(kinds)

    def behave(self) -> None:
        """No more faults, neither random nor planned ones."""
        self.misbehave()
        self.misreport_logs(0.0)
        with self._lock:
            self._planned.clear()
        self.down = self.hides_receipts = self.swallows = False
        self.refusal = self.head = None
        self.lag, self.lag_share = 0, 0.0

    def plan(self, method: str, *faults: Fault) -> None:
        """The next calls of a method suffer these, one each, in order."""
        with self._lock:
            self._planned[method].extend(faults)

    def drop_websockets(self) -> int:
        """Break every open WebSocket; returns how many there were."""
        with self._lock:
            open_now, self._sockets = self._sockets, set()
        for one in open_now:
            abort(one)
        return len(open_now)

    @property
    def websockets(self) -> int:
        """How many are open."""
        with self._lock:
            return len(self._sockets)

    def choose(self, methods: list[str]) -> Fault:
        """What happens to a request that makes these calls; every request draws once."""
        with self._lock:
            drawn = self._random.random()
            self.calls.update(methods)
            fault = self._planned_fault(methods) or self._drawn_fault(methods, drawn)
            self.faults[fault] += 1
            return fault

    def _planned_fault(self, methods: list[str]) -> Fault | None:
        for method in methods:
            if self._planned[method]:
                return self._planned[method].popleft()
        return None

    def _drawn_fault(self, methods: list[str], drawn: float) -> Fault:
        if self._methods is not None and not self._methods.intersection(methods):
            return Fault.NONE
        for fault, rate in self._rates.items():
            if drawn < rate:
                return fault
            drawn -= rate
        return Fault.NONE

    # --- passing on -----------------------------------------------------------------------------

    def forward(self, body: bytes) -> bytes:
        """The node's answer.

        Raises:
            ConnectionError: the node does not answer.
        """
        call = one_call(body)
        if call is None:
            return self._misreported(body, self._post(body))
        method = call.get("method")
        if method == "eth_sendRawTransaction" and self.refusal is not None:
            return answer_to(call, error={"code": -32000, "message": self.refusal})
        if method == "eth_sendRawTransaction" and self.swallows:
            self._swallowed.append(call)
            return answer_to(call, result="0x" + keccak(bytes.fromhex(call["params"][0][2:])).hex())
        if method == "eth_getTransactionReceipt" and self.hides_receipts:
            return answer_to(call, result=None)
        head = self._seen_head()
        answer = self._post(body) if head is None else self._as_of(call, head)
        return self._misreported(body, answer)

    def release(self) -> None:
        """Pass on what was swallowed, in its order, and swallow no more."""
        self.swallows = False
        kept, self._swallowed = self._swallowed, []
        for call in kept:
            self._post(json.dumps(call).encode())

    def _post(self, body: bytes) -> bytes:
        return self._wire.post(body)

    def _seen_head(self) -> int | None:
        """The block that the answering node takes for the latest; None: the true one."""
        if self.head is not None:
            return self.head
        with self._lock:
            late = self.lag > 0 and self._random.random() < self.lag_share
        return max(self.true_head() - self.lag, 0) if late else None

    def true_head(self) -> int:
        """The number of the real node's latest block."""
        call = {"jsonrpc": "2.0", "id": 0, "method": "eth_blockNumber", "params": []}
        return int(json.loads(self._post(json.dumps(call).encode()))["result"], 16)

    def _as_of(self, call: dict[str, Any], head: int) -> bytes:
        """What a node answers that does not know of blocks after ``head``."""
        if call.get("method") == "eth_blockNumber":
            return answer_to(call, result=hex(head))
        tags = ("latest", "pending")
        given = list(call.get("params", ()))
        params = [hex(head) if isinstance(one, str) and one in tags else one for one in given]
        answer = json.loads(self._post(json.dumps(call | {"params": params}).encode()))
        result = answer.get("result")
        if isinstance(result, dict):
            number = result.get("number", result.get("blockNumber"))
            if isinstance(number, str) and int(number, 16) > head:
                answer["result"] = None
        return json.dumps(answer).encode()

    def _misreported(self, body: bytes, answer: bytes) -> bytes:
        """The answer, with wrong logs at the rate that was set."""
        with self._lock:
            if self._log_random.random() >= self._log_rate:
                return answer
            fault = self._log_random.choice(self._log_kinds)
            wrong = spoil(body, answer, fault, self._log_random)
            self.log_faults[fault] += wrong != answer
            return wrong

    def call(self, body: bytes) -> bytes:
        """The answer to a call that came over a WebSocket.

        Raises:
            ConnectionError: the node does not answer.
        """
        with self._lock:
            self.calls.update(methods_of(body))
        return self.forward(body)

    @contextmanager
    def tunnel(self, client: socket.socket) -> Iterator[None]:
        """Counts a client's WebSocket as open, so that it can be dropped."""
        with self._lock:
            self._sockets.add(client)
        try:
            yield
        finally:
            with self._lock:
                self._sockets.discard(client)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news."""


def _handler(node: FaultyNode) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # or each answer waits for the reader's acknowledgement
        raw_requestline: bytes

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            fault = node.choose(methods_of(body))
            if node.down or fault is Fault.DROP_BEFORE:
                self._break()
                return
            if fault is Fault.ERROR:
                self._answer(502, b"Bad Gateway")
                return
            try:
                answer = node.forward(body)
            except ConnectionError:
                self._answer(502, b"Bad Gateway")
                return
            if fault is Fault.DROP_AFTER:
                self._break()
                return
            if fault is Fault.ERROR_AFTER:
                self._answer(504, b"Gateway Timeout")
                return
            if fault is Fault.SLOW:
                time.sleep(node.delay)
            if fault is Fault.DRIP:
                self._drip(answer)
                return
            self._answer(200, distort(answer, fault))

        def do_GET(self) -> None:
            if self.headers.get("Upgrade", "").lower() != "websocket":
                self._answer(405, b"Method Not Allowed")
                return
            self.close_connection = True
            if node.down:
                self._break()
                return
            request = self.raw_requestline + self.headers.as_bytes(policy=HTTP)
            relay = Relay(self.connection, node.call)
            try:
                with node.tunnel(self.connection):
                    relay.run(node.upstream_url, UPSTREAM_SECONDS, request)
            except OSError:
                self._answer(502, b"Bad Gateway")

        def _break(self) -> None:
            self.close_connection = True
            abort(self.connection)

        def _answer(self, code: int, body: bytes) -> None:
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def _drip(self, body: bytes) -> None:
            self.close_connection = True
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            with suppress(OSError):  # the client has given up
                for number in range(len(body)):
                    self.wfile.write(body[number : number + 1])
                    time.sleep(node.delay)

        def log_message(self, format: str, *args: object) -> None:
            pass

    return Handler


def distort(answer: bytes, fault: Fault) -> bytes:
    """A node's answer in one of the wrong shapes; as it is if the fault is none of those."""
    if fault is Fault.PAGE:
        return b"<html><body><h1>Service temporarily unavailable</h1></body></html>"
    if fault is Fault.CUT:
        return answer[: len(answer) // 2]
    if fault not in ODD:
        return answer
    try:
        found = json.loads(answer)
    except ValueError:
        return answer
    if fault is Fault.LIST:
        found = [found]
    elif fault is Fault.OTHER_ID:
        found = found | {"id": int(found["id"]) + 1}
    elif fault is Fault.NO_RESULT:
        found = {"jsonrpc": "2.0", "id": found["id"], "result": None}
    elif fault is Fault.STRING_ERROR:
        found = {"jsonrpc": "2.0", "id": found["id"], "error": "rate limited"}
    elif isinstance(found.get("result"), dict):
        found["result"].pop("baseFeePerGas", None)
    return json.dumps(found).encode()


def one_call(body: bytes) -> dict[str, Any] | None:
    """The call in a request; None if it is a batch, or none."""
    try:
        request = json.loads(body)
    except ValueError:
        return None
    return request if isinstance(request, dict) else None


def answer_to(call: dict[str, Any], **content: Any) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": call.get("id")} | content).encode()


def methods_of(body: bytes) -> list[str]:
    """The methods that a JSON-RPC request calls, one or a batch."""
    try:
        request = json.loads(body)
    except ValueError:
        return []
    calls = request if isinstance(request, list) else [request]
    return [str(call.get("method")) for call in calls if isinstance(call, dict)]


def abort(connection: socket.socket) -> None:
    """Break a connection so that the other side sees a reset."""
    with suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABORT)
        connection.shutdown(socket.SHUT_RDWR)
