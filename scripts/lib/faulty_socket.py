"""The faulty node's WebSockets: calls are answered as over HTTP, subscriptions pass through."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable
from contextlib import ExitStack, suppress

from websockets.exceptions import WebSocketException
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.server import ServerProtocol
from websockets.sync.client import connect

CHUNK = 1 << 16
SUBSCRIPTIONS = ("eth_subscribe", "eth_unsubscribe")
"""Calls that belong to a connection: the node itself has to have it."""

Answer = Callable[[bytes], bytes]


class Relay:
    """One client's WebSocket, with a connection to the node behind it.

    Args:
        client: the connection, on which the request for a WebSocket has come in.
        answer: the answer to a call; an ``OSError`` breaks the connection.
    """

    def __init__(self, client: socket.socket, answer: Answer) -> None:
        self._client = client
        self._answer = answer
        self._protocol = ServerProtocol(max_size=None)
        self._parts = b""
        self._lock = threading.Lock()

    def run(self, url: str, seconds: float, request: bytes) -> None:
        """Pass messages on until either side ends.

        Args:
            url: ``http://…`` of the node.
            seconds: longest time for reaching it.
            request: the one that asks for the WebSocket.

        Raises:
            OSError: the node does not listen, or speaks no WebSocket; the client has no answer.
        """
        with ExitStack() as stack:
            place = url.replace("http", "ws", 1)
            there = connect(
                place, open_timeout=seconds, max_size=None, compression=None, proxy=None
            )
            try:
                self._node = stack.enter_context(there)
            except WebSocketException as error:
                raise OSError(str(error)) from None
            news = threading.Thread(target=self._pass_news, name="news to client", daemon=True)
            with suppress(OSError):
                self._receive(request)
                news.start()
                self._client.settimeout(None)
                while data := self._client.recv(CHUNK):
                    self._receive(data)

    def _receive(self, data: bytes) -> None:
        with self._lock:
            self._protocol.receive_data(data)
            for event in self._protocol.events_received():
                if isinstance(event, Request):
                    self._protocol.send_response(self._protocol.accept(event))
                elif isinstance(event, Frame):
                    self._frame(event)
            self._flush()

    def _frame(self, frame: Frame) -> None:
        if frame.opcode not in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
            return  # pings are answered by the protocol
        self._parts += frame.data
        if not frame.fin:
            return
        message, self._parts = self._parts, b""
        if _method(message) in SUBSCRIPTIONS:
            with suppress(WebSocketException):  # whoever hears of its end breaks the other side
                self._node.send(message.decode())
        else:
            self._protocol.send_text(self._answer(message))

    def _pass_news(self) -> None:
        with suppress(OSError, WebSocketException):
            for message in self._node:
                with self._lock:
                    text = message.encode() if isinstance(message, str) else message
                    self._protocol.send_text(text)
                    self._flush()
        with suppress(OSError):  # the node's end is the client's
            self._client.shutdown(socket.SHUT_RDWR)

    def _flush(self) -> None:
        for data in self._protocol.data_to_send():
            if data:
                self._client.sendall(data)
            else:  # after the goodbye of both sides
                self._client.shutdown(socket.SHUT_WR)


def _method(message: bytes) -> str:
    try:
        return str(json.loads(message)["method"])
    except (ValueError, KeyError, TypeError):
        return ""
