"""The streams: what is new, a client that does not keep up, and the metrics of a real server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from starlette.types import Message, Receive, Scope, Send
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed, InvalidStatus

from chainbeasts.backend.api.events import event_id
from chainbeasts.backend.api.figures import PATIENCE_SECONDS, WAITING_WINDOWS, Figures
from chainbeasts.backend.api.follow import Follower, Remember, Tell
from chainbeasts.backend.api.guard import Guard
from chainbeasts.backend.api.limits import Limits
from chainbeasts.backend.api.memory import place_of
from chainbeasts.backend.api.models import Live
from chainbeasts.backend.api.news import News
from chainbeasts.backend.indexer.follow import Waker
from chainbeasts.backend.indexer.sync import Indexer
from chainbeasts.backend.monitoring.health import Health
from chainbeasts.backend.monitoring.training import TrainingMetrics
from chainbeasts.backend.store.facts import EventRow
from chainbeasts.backend.store.session import Database
from chainbeasts.trainer.metrics.limits import Limits as MetricsLimits
from chainbeasts.trainer.metrics.server import MetricsServer
from tests.api.conftest import Scene, Served, services_of, serving
from tests.metrics.figures import figures
from tests.support.patience import PATIENCE, eventually
from tests.support.ports import free_port
from tests.support.snapshots import settled
from tests.support.training import Trainee

LIMITS = Limits(rate=0, queue=4, streams_each=3, send_seconds=1.0)


def run(main: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(PATIENCE):
            await main()

    asyncio.run(bounded())


async def heard(socket: ClientConnection, wanted: str, **about: object) -> dict[str, Any]:
    """The next message of a type, about this; what comes before it is passed over."""
    async with asyncio.timeout(PATIENCE):
        while True:
            message: dict[str, Any] = json.loads(await socket.recv())
            if message["type"] == wanted and about.items() <= message.items():
                return message


def stream(served: Served, name: str, **options: Any) -> connect:
    url = f"ws{served.url.removeprefix('http')}/v1/{name}"
    return connect(url, proxy=None, open_timeout=PATIENCE, ping_timeout=PATIENCE, **options)


@pytest.fixture(scope="module")
def tight(served: Served) -> Iterator[Served]:
    """The same services behind tight limits."""
    services = served.services
    second = services_of(services.chain, services.database, services.bundles.parent, follows=False)
    with serving(second, limits=LIMITS) as found:
        yield found


def test_news_comes_with_the_event_it_is_about(scene: Scene, served: Served) -> None:
    async def main() -> None:
        async with stream(served, "events") as socket:
            hello = await heard(socket, "hello")
            assert hello["block"] <= scene.chain.block().number
            beast = scene.honest
            record = await asyncio.to_thread(scene.world.submit, beast.beast, beast.trainer)
            news = await heard(socket, "checkpoint", index=record.index)
            assert news["event"] == "CheckpointSubmitted"
            assert (news["beast"], news["index"]) == (beast.beast, record.index)
            block = await heard(socket, "block")
            assert block["block"] == news["block"]
        found = served.json(f"/v1/beasts/{beast.beast}/checkpoints?limit=1")["items"][0]
        assert (found["index"], found["tx"]) == (record.index, news["tx"])

    run(main)


def test_what_the_first_pass_finds_is_told(scene: Scene, tmp_path: Path) -> None:
    """Whoever comes before that is greeted with the block that the index holds."""
    database, told = Database(f"sqlite:///{tmp_path}/api.sqlite3"), list[Live]()
    greeted: list[int | None] = []
    Indexer(scene.chain, database).sync()
    held, beast = scene.chain.block().number, scene.honest
    record = scene.world.submit(beast.beast, beast.trainer)
    follower = Follower(
        scene.chain,
        database,
        Indexer(scene.chain, database),
        Waker(scene.chain.rpc_url, 0.05),
        Health("api"),
    )

    def tell(news: Sequence[Live]) -> None:
        told.extend(news)
        greeted.append(follower.indexed)  # the first pass has not begun when this is first called

    follower.start(tell)
    try:
        assert greeted[0] == told[0].block == held
        news = eventually(lambda: [one for one in told if one.event == "CheckpointSubmitted"])
        assert [(one.beast, one.index) for one in news] == [(beast.beast, record.index)]
    finally:
        follower.stop()
        database.close()


def test_more_than_is_told_at_once_is_a_gap(
    scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chainbeasts.backend.api.news.MOST_EVENTS", 1)
    database, beast = Database(f"sqlite:///{tmp_path}/api.sqlite3"), scene.honest
    indexer, news = Indexer(scene.chain, database), News(scene.chain, database)

    def newest() -> str:
        last = select(EventRow).order_by(EventRow.block_number.desc(), EventRow.log_index.desc())
        with database.session() as session:
            return event_id(session.scalars(last.limit(1)).one())

    indexer.sync()
    assert [one.type for one in news.read()] == ["block"]
    old = newest()
    assert news.floor == place_of(old)
    scene.world.submit(beast.beast, beast.trainer)
    scene.world.fund(beast.trainer, 1)  # the newest event of all is not told of
    indexer.sync()
    gap, block = news.read()
    assert (gap.type, block.type) == ("gap", "block")
    assert gap.id == newest() != old
    assert news.read() == []
    late = News(scene.chain, database)
    late.read()
    assert (late.past, late.floor) == ([], place_of(gap.id))
    database.close()


def test_who_comes_back_is_told_what_was_missed(scene: Scene, served: Served) -> None:
    beast, other = scene.honest, scene.revealed

    async def until(socket: ClientConnection, mark: str) -> list[dict[str, Any]]:
        """The messages up to the event of an id."""
        found: list[dict[str, Any]] = []
        async with asyncio.timeout(PATIENCE):
            while not found or found[-1].get("id") != mark:
                found.append(json.loads(await socket.recv()))
        return found

    async def main() -> None:
        async with stream(served, "events") as socket:
            record = await asyncio.to_thread(scene.world.submit, beast.beast, beast.trainer)
            seen = await heard(socket, "checkpoint", beast=beast.beast, index=record.index)
        for one in (other, beast):
            await asyncio.to_thread(scene.world.submit, one.beast, one.trainer)
        newest = ""
        while True:  # until the index has them
            page = await asyncio.to_thread(served.json, f"/v1/activity?since={seen['id']}")
            missed = [one for one in page["items"] if one["event"] == "CheckpointSubmitted"]
            if len(missed) == 2:
                newest = page["newest"]
                break
            await asyncio.sleep(0.05)
        kinds = [(one["id"], one["kind"]) for one in page["items"]][::-1]
        for wanted, expected in (
            ("", [i for i, _ in kinds]),
            (f"&topics=beast:{other.beast}", [missed[1]["id"]]),
            ("&topics=checkpoint,match", [i for i, kind in kinds if kind == "checkpoint"]),
        ):
            async with stream(served, f"events?since={seen['id']}{wanted}") as socket:
                told = await until(socket, expected[-1])
                assert told[0]["type"] == "hello"
                assert "id" not in told[0]
                assert [one["id"] for one in told if one.get("id")] == expected
        async with stream(served, "events?since=999999999-0") as socket:
            await heard(socket, "hello")
            assert (await heard(socket, "gap"))["id"] == newest
        async with stream(served, f"events?topics=beast:{other.beast}") as socket:
            await heard(socket, "hello")
            for one in (beast, other):
                await asyncio.to_thread(scene.world.submit, one.beast, one.trainer)
            assert (await heard(socket, "checkpoint"))["beast"] == other.beast
        for wrong in ("since=1", "since=1-2-3", "topics=nothing", "topics=beast:01", "topics="):
            with pytest.raises((InvalidStatus, ConnectionClosed)):
                async with stream(served, f"events?{wrong}") as socket:
                    await socket.recv()

    run(main)


def test_a_reorg_is_told_before_what_replaces_it(scene: Scene, served: Served) -> None:
    async def main() -> None:
        async with stream(served, "events") as socket:
            await asyncio.to_thread(scene.world.mine)
            head = (await asyncio.to_thread(scene.chain.block)).number
            await heard(socket, "block", block=head)
            # An empty block of the same second would be the very block that it replaces.
            one, other = scene.world.accounts[8:10]
            other_block = [[{"from": one, "to": other, "value": "0x1"}, 0]]
            await asyncio.to_thread(settled, scene.world.rpc)
            await asyncio.to_thread(scene.world.rpc, "anvil_reorg", 1, other_block)
            await asyncio.to_thread(scene.world.mine)
            reorg = await heard(socket, "reorg")
            assert reorg["block"] <= head
            async with stream(served, f"events?since={head}-0") as late:
                await heard(late, "gap")  # its event may be another now
            # The index may have looked between the two, and told of the other block by itself.
            while (await heard(socket, "block"))["block"] <= head:
                pass

    run(main)


def test_a_page_that_was_allowed_opens_streams(served: Served) -> None:
    services = served.services
    second = services_of(services.chain, services.database, services.bundles.parent, follows=False)

    async def main() -> None:
        with serving(second, limits=Limits(rate=0), origins=["https://lab.example"]) as found:
            async with stream(found, "events", origin="https://lab.example") as socket:
                await heard(socket, "hello")
            with pytest.raises(InvalidStatus):
                async with stream(found, "events", origin="https://other.example"):
                    pass

    run(main)


@pytest.mark.parametrize("origin", ["https://evil.example", "http://localhost", "null"])
def test_a_page_of_another_site_opens_no_stream(served: Served, origin: str) -> None:
    async def main() -> None:
        for name in ("events", "metrics"):
            with pytest.raises(InvalidStatus) as refused:
                async with stream(served, name, origin=origin):
                    pass
            assert refused.value.response.status_code == 403
            async with stream(served, name, origin=served.url) as socket:
                await socket.recv()

    run(main)


@pytest.mark.parametrize(
    ("host", "origin", "opened"),
    [
        ("beasts.example", "https://beasts.example", True),
        ("beasts.example", "https://beasts.example:8443", True),  # as nginx's $host passes it on
        ("beasts.example:8443", "https://Beasts.example:8443", True),
        ("127.0.0.1:8400", "https://beasts.example:8443", True),  # Host rewritten on the way
        ("localhost", "http://localhost:80", True),
        ("localhost:8400", "http://localhost:3000", False),  # another program's page
        ("beasts.example", "https://evil.example", False),
        ("beasts.example", "https://beasts.example.evil.example", False),
        ("beasts.example", "https://evil.example/beasts.example", False),
        ("beasts.example", "https://beasts.example@evil.example", False),
        ("beasts.example", "file://beasts.example", False),
        ("beasts.example", "https://beasts.example:x", False),
        ("[::1]:8400", "http://[::1]:8400", True),
        ("beasts.example", "null", False),
    ],
)
def test_a_page_behind_a_web_server_is_known_by_its_host_name(
    host: str, origin: str, opened: bool
) -> None:
    reached = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        reached.append(scope["path"])

    async def main() -> None:
        headers = [(b"host", host.encode()), (b"origin", origin.encode())]
        scope = {"type": "websocket", "path": "/v1/events", "headers": headers, "client": None}
        guard = Guard(app, limits=Limits(rate=0), hosts=["beasts.example:8443"])
        await guard(scope, _nothing, _ignored)

    run(main)
    assert bool(reached) is opened


async def _nothing() -> Message:
    return {"type": "websocket.connect"}


async def _ignored(message: Message) -> None:
    pass


def test_who_speaks_is_hung_up_on(tight: Served) -> None:
    async def main() -> None:
        for said, code in (("hello?", 1008), ("x" * 5_000, 1009)):
            async with stream(tight, "events") as socket:
                await heard(socket, "hello")
                await socket.send(said)
                with pytest.raises(ConnectionClosed) as closed:
                    await heard(socket, "nothing")
                assert closed.value.rcvd is not None
                assert closed.value.rcvd.code == code

    run(main)


def test_one_address_has_so_many_streams(tight: Served) -> None:
    async def main() -> None:
        async with (
            stream(tight, "events") as one,
            stream(tight, "events") as two,
            stream(tight, "metrics") as three,
        ):
            for socket in (one, two, three):
                await socket.recv()
            async with stream(tight, "events") as fourth:
                with pytest.raises(ConnectionClosed) as closed:
                    await fourth.recv()
                assert closed.value.rcvd is not None
                assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (
                    1013, "too many connections",
                )  # fmt: skip
        async with stream(tight, "events") as again:
            await heard(again, "hello")

    run(main)


def told_of(trainee: Trainee, number: int, **more: Any) -> TrainingMetrics:
    """What its trainer tells of a beast's window."""
    record = trainee.windows[number].checkpoint
    given = {
        "beast": trainee.beast,
        "step": record.payload.globalStep,
        "steps": 128,
        "window": record.index,
        "loss": record.payload.windowLoss / 128,
    }
    return figures(**(given | more))


@contextmanager
def bridged(served: Served, url: str) -> Iterator[Served]:
    """The same services, relaying a metrics server."""
    services = served.services
    second = services_of(services.chain, services.database, services.bundles.parent, follows=False)
    with serving(second, limits=Limits(rate=0), metrics=url) as found:
        yield found


def test_metrics_are_relayed_and_their_absence_is_said(
    scene: Scene, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chainbeasts.trainer.metrics.server.HANDSHAKE_SECONDS", PATIENCE)
    port, patient = free_port(), MetricsLimits(ping=PATIENCE)
    first, later, last = (told_of(scene.honest, number) for number in range(3))
    other = told_of(scene.doubted, 0)

    async def main() -> None:
        async with MetricsServer(port=port, limits=patient) as server:
            with bridged(served, server.url) as found:
                async with stream(found, "metrics") as page:
                    await heard(page, "connected")
                    async with connect(server.url, proxy=None, open_timeout=PATIENCE) as trainer:
                        await trainer.send(first.to_json())
                        told = await heard(page, "metrics")
                        assert told["message"] == json.loads(first.to_json())
                        assert told["past"] is False
                        assert "move_accuracy" in told["unverified"]
                        await trainer.send(later.to_json())
                        await heard(page, "metrics")
                    for about, expected in ((first.beast, [128, 256]), (first.beast + 1, [])):
                        async with stream(found, f"metrics?beast={about}") as late:
                            await heard(late, "connected")
                            begun = [await heard(late, "metrics") for _ in expected]
                            assert [one["message"]["step"] for one in begun] == expected
                            assert all(one["past"] for one in begun)
                    async with stream(found, "metrics?past=false") as late:
                        await heard(late, "connected")
                        async with connect(
                            server.url, proxy=None, open_timeout=PATIENCE
                        ) as trainer:
                            await trainer.send(other.to_json())
                        told = await heard(late, "metrics")
                        assert (told["message"]["beast"], told["past"]) == (str(other.beast), False)
                    assert (await heard(page, "metrics"))["message"]["beast"] == str(other.beast)
                    await server.__aexit__(None, None, None)
                    away = await heard(page, "away")
                    assert "chainbeasts metrics serve" in away["hint"]
                    async with MetricsServer(port=port, limits=patient) as back:
                        await heard(page, "connected")
                        async with connect(back.url, proxy=None, open_timeout=PATIENCE) as trainer:
                            await trainer.send(last.to_json())
                            step = (await heard(page, "metrics"))["message"]["step"]
                            assert step == last.step

    run(main)


def test_what_the_chain_does_not_bear_out_is_not_relayed(scene: Scene, served: Served) -> None:
    """Whoever reaches the metrics server can say anything about anybody's beast."""
    right, other = (told_of(scene.honest, number) for number in range(2))
    forged = [
        told_of(scene.honest, 0, loss=0.0),
        told_of(scene.honest, 0, step=0),
        told_of(scene.honest, 0, window=4_000_000_000),
        told_of(scene.honest, 0, beast=1 << 200),
        told_of(scene.honest, 0, steps=1),
        told_of(scene.honest, 0, window=None),
        figures(step=0, beast=right.beast),
    ]
    padded = json.loads(right.to_json()) | {"pad": "x" * 60_000, "loss": right.loss + 1e-4}
    sent = ["[" * 30_000, "[]", "{", '{"loss": NaN}', "x", b"{}"]
    sent += [one.to_json() for one in forged] + [json.dumps(padded), other.to_json()]

    async def another_server(socket: ServerConnection) -> None:
        for message in sent:
            await socket.send(message)
        await socket.wait_closed()

    async def main() -> None:
        async with serve(another_server, "127.0.0.1", 0) as server:
            port = next(iter(server.sockets)).getsockname()[1]
            with bridged(served, f"ws://127.0.0.1:{port}") as found:
                async with stream(found, "metrics") as page:
                    told = [(await heard(page, "metrics"))["message"] for _ in range(2)]
                    assert told == [json.loads(right.to_json()), json.loads(other.to_json())]

    run(main)


def test_a_message_waits_for_its_window_and_is_replaced_when_that_fell() -> None:
    early, wrong = (figures(128, steps=128, window=0, loss=loss) for loss in (2.0, 3.0))
    kept = Figures()
    kept.take(wrong, now=0.0)
    kept.take(early, now=0.0)
    assert kept.waiting == [(1, 0)]
    assert kept.confirm({}, now=1.0) == []
    assert kept.confirm({(1, 0): (128, 256)}, now=2.0) == [early]
    kept.take(early.model_copy(update={"run": "another"}), now=3.0)  # the first word stands
    assert kept.confirm({(1, 0): (128, 256)}, now=3.0) == []
    kept.take(wrong, now=4.0)
    assert kept.confirm({(1, 0): (128, 384)}, now=4.0) == [wrong]
    assert (kept.of(1), kept.of(2), kept.waiting) == ([wrong], [], [])
    kept.take(early, now=5.0)
    kept.confirm({}, now=5.0 + PATIENCE_SECONDS + 1)
    assert kept.waiting == []


def test_what_waits_for_the_chain_is_bounded() -> None:
    kept = Figures()
    for step in range(2 * WAITING_WINDOWS):
        kept.take(figures(step, steps=128, window=step, loss=1.0), now=0.0)
    for loss in range(100):
        kept.take(figures(1, steps=128, window=2 * WAITING_WINDOWS - 1, loss=loss), now=0.0)
    assert len(kept.waiting) == WAITING_WINDOWS
    newest = (1, 2 * WAITING_WINDOWS - 1)
    assert kept.waiting[-1] == newest
    (told,) = kept.confirm({newest: (1, 99 * 128)}, now=1.0)
    assert told.loss == 99.0


class Teller(Follower):
    """A follower whose news a test makes up."""

    def start(self, tell: Tell, remember: Remember | None = None) -> None:
        self.tell = tell

    def stop(self) -> None:
        pass


def test_a_client_that_does_not_keep_up_is_cut_off_and_nobody_waits_for_it(
    served: Served,
) -> None:
    services = served.services
    teller = Teller(services.chain, services.database, None, Waker("", 1.0), Health("api"))

    async def main() -> None:
        with serving(replace(services, follower=teller), limits=LIMITS) as found:
            async with (
                stream(found, "events", max_queue=1) as slow,
                stream(found, "events") as quick,
            ):
                await heard(slow, "hello")
                await heard(quick, "hello")
                slow.transport.pause_reading()
                for block in range(200):
                    teller.tell([Live(type="block", block=block, event="x" * 60_000)])
                    assert (await heard(quick, "block"))["block"] == block
                slow.transport.resume_reading()
                with pytest.raises(ConnectionClosed):
                    await heard(slow, "nothing")

    run(main)
