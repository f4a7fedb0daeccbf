"""A real HTTP server in front of a node, which answers as bad nodes do."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from scripts.lib.wire import Wire
from tests.support.patience import PATIENCE

Answer = dict[str, Any]
Rule = Callable[[str, list[Any]], "Answer | int | None"]
"""Given method and parameters: the answer's ``result`` or ``error``, an HTTP status, 0 to drop the
connection, or None to ask the node (with the parameters, which the rule may have changed)."""


class RpcProxy:
    """Forwards JSON-RPC to a node, unless its rule has another answer."""

    def __init__(self, node: str, rule: Rule | None = None) -> None:
        self.rule: Rule = rule or (lambda method, params: None)
        proxy, wire = self, Wire(node, PATIENCE)

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # or each answer waits for the reader's acknowledgement

            def do_POST(self) -> None:
                request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                found = proxy.rule(request["method"], request["params"])
                if found == 0:
                    self.close_connection = True
                    self.connection.close()
                    return
                if found is None:
                    body, status = wire.post(json.dumps(request).encode()), 200
                elif isinstance(found, int):
                    body, status = b"no", found
                else:
                    answer = {"jsonrpc": "2.0", "id": request["id"]} | found
                    body, status = json.dumps(answer).encode(), 200
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign]
        self._wire = wire
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._wire.close()
