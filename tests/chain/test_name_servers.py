"""A resolver that does not answer keeps nobody, whichever way to the node his call takes."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from websockets.sync.server import ServerConnection, serve

from chainbeasts.backend.chain.answers import Answer
from chainbeasts.backend.chain.providers import NodeProvider, make_provider
from chainbeasts.backend.signals import HungUpError, carry_on, hang_up
from tests.chain.test_http_line import SIZED, Server
from tests.support.patience import PATIENCE, eventually
from tests.support.resolver import Resolver, frozen_resolver

NEVER = 100_000.0
SHORT = 0.3
WAYS = ("http", "ws", "a proxy")

Urls = Callable[[str], str]


@pytest.fixture
def resolver() -> Iterator[Resolver]:
    with frozen_resolver() as made:
        yield made


@contextmanager
def socket_node() -> Iterator[int]:
    def handle(connection: ServerConnection) -> None:
        for frame in connection:
            number = json.loads(frame)["id"]
            connection.send(json.dumps({"jsonrpc": "2.0", "id": number, "result": "0x1"}))

    with serve(handle, "127.0.0.1", 0, open_timeout=PATIENCE, ping_interval=None) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.socket.getsockname()[1]
        server.shutdown()
        thread.join()


@contextmanager
def http_node() -> Iterator[int]:
    server = Server(SIZED)
    yield server.port
    server.stop()


@pytest.fixture
def urls(resolver: Resolver, monkeypatch: pytest.MonkeyPatch) -> Iterator[Urls]:
    """The URL of a node that is found by name, in each of the ways."""
    for name in ("no", "http", "ws", "https", "socks", "all"):
        for spelled in (f"{name}_proxy", f"{name}_proxy".upper()):
            monkeypatch.delenv(spelled, raising=False)
    with http_node() as web, socket_node() as socket:

        def url(way: str) -> str:
            if way == "a proxy":
                monkeypatch.setenv("http_proxy", f"http://{resolver.host}:{web}")
                return "http://node.invalid"
            return f"{way}://{resolver.host}:{web if way == 'http' else socket}"

        yield url


def ask(provider: NodeProvider) -> Answer:
    """A call as the provider makes it, with a number that both nodes answer with."""
    provider.clock.begin()
    return provider._line.exchange(1, b'{"id": 1}')


@pytest.mark.parametrize("way", WAYS)
def test_a_call_has_its_deadline_and_the_look_up_is_made_once(
    way: str, urls: Urls, resolver: Resolver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chainbeasts.backend.chain.lines.STEP_SECONDS", PATIENCE)
    provider = make_provider(urls(way), SHORT)

    def is_asked() -> bool:
        with pytest.raises(TimeoutError):
            ask(provider)
        return resolver.asked > 0

    eventually(is_asked)
    is_asked()
    assert resolver.asked == 1
    resolver.released.set()
    provider.clock.seconds = PATIENCE
    assert ask(provider)["result"] == "0x1"


@pytest.mark.parametrize("way", WAYS)
def test_a_call_ends_soon_after_the_wish_to_end(way: str, urls: Urls, resolver: Resolver) -> None:
    provider, problems = make_provider(urls(way), NEVER), list[BaseException]()

    def call() -> None:
        try:
            ask(provider)
        except BaseException as error:
            problems.append(error)

    caller = threading.Thread(target=call, daemon=True)
    caller.start()
    try:
        eventually(lambda: resolver.asked)
        hang_up(SHORT)
        caller.join(PATIENCE)
        assert [type(problem) for problem in problems] == [HungUpError]
    finally:
        carry_on()


@pytest.mark.parametrize("way", ["http", "a proxy"])
def test_the_next_address_is_tried_where_nobody_listens(
    way: str, urls: Urls, resolver: Resolver
) -> None:
    resolver.addresses = ["::1", "127.0.0.1"]  # the node listens on one of them alone
    resolver.released.set()
    assert ask(make_provider(urls(way), PATIENCE))["result"] == "0x1"
