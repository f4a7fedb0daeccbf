"""Downloads are resumed, bounded and checked, whatever the server does."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import suppress
from email.utils import formatdate
from pathlib import Path

import pytest

from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.trainer.datasets.formats import to_binary, to_csv
from chainbeasts.trainer.datasets.http import KIND, HttpProducer
from chainbeasts.trainer.datasets.pack import compress
from tests.datasets.conftest import Answer, Handler, Server, records
from tests.support.patience import PATIENCE

WORDS = records(50)
DATA = to_binary(WORDS)
Web = Callable[[bytes], Server]


def producer(server: Server, **options: object) -> HttpProducer:
    """One that gives up what hangs, and nobody who is merely slow."""
    options = {"stall": PATIENCE} | options
    return HttpProducer("127.0.0.1", server.port, "/train", **options)  # type: ignore[arg-type]


def nothing_is_left(cache: Path) -> bool:
    return not [path for path in (cache / KIND).iterdir() if path.suffix != ".lock"]


def test_a_download_that_breaks_off_goes_on_where_it_was(web: Web, cache: Path) -> None:
    server = web(DATA)
    server.script = [server.cut(700), server.serve]
    assert tuple(producer(server).words()) == WORDS
    assert server.ranges == [None, "bytes=700-"]
    assert nothing_is_left(cache)


def test_what_arrived_outlives_the_process(web: Web) -> None:
    server = web(DATA)
    server.script = [server.cut(500), lambda handler: handler.say(404)]
    with pytest.raises(ChainBeastsError, match="answers 404"):
        producer(server).download()
    server.script = [server.serve]
    assert producer(server).download() == DATA
    assert server.ranges[-1] == "bytes=500-"


def test_another_file_on_resume_is_taken_from_its_beginning(web: Web) -> None:
    server = web(DATA)
    other = to_binary(records(60, seed=1))

    def change(handler: Handler) -> None:
        server.data, server.etag = other, '"two"'
        server.serve(handler)

    server.script = [server.cut(700), change]
    assert producer(server).download() == other


@pytest.mark.parametrize(
    ("etag", "place"),
    [
        ('"two"', f"bytes 700-{len(DATA) - 1}/{len(DATA)}"),
        ('"one"', f"bytes 701-{len(DATA) - 1}/{len(DATA)}"),
        ('"one"', f"bytes 700-{len(DATA)}/{len(DATA) + 1}"),
        ('"one"', "nonsense"),
    ],
)
def test_a_server_that_lies_on_resume_is_asked_anew(web: Web, etag: str, place: str) -> None:
    server = web(DATA)

    def lie(handler: Handler) -> None:
        handler.say(206, bytes(len(DATA) - 700), ETag=etag, Content_Range=place)

    server.script = [server.cut(700), lie, server.serve]
    assert producer(server).download() == DATA
    assert server.ranges[-1] is None


def test_a_part_that_nobody_asked_for_is_not_taken(web: Web) -> None:
    server = web(DATA)
    place = f"bytes 0-9/{len(DATA)}"
    server.script = [
        lambda handler: handler.say(206, DATA[:10], Content_Range=place),
        server.serve,
    ]
    assert producer(server).download() == DATA


def test_a_name_for_the_file_that_cannot_be_sent_back_is_not_used(web: Web) -> None:
    """Not once, and not for ever: it used to be kept with the part that had arrived."""
    server = web(DATA)
    server.etag = '"\xe9t\xe9"'
    server.script = [server.cut(700), server.serve]
    assert producer(server).download() == DATA
    assert server.ranges == [None, None]


def dated(server: Server, data: bytes, changed: int, sent: int, **more: str) -> Answer:
    """The whole file announced and 700 bytes of it sent, changed and sent at seconds of a day."""

    def answer(handler: Handler) -> None:
        handler.say(
            200,
            data[:700],
            Content_Length=str(len(data)),
            Last_Modified=formatdate(changed, usegmt=True),
            Date=formatdate(sent, usegmt=True),
            **more,
        )

    return answer


@pytest.mark.parametrize(
    ("age", "etag", "resumed"),
    [(0, None, False), (59, None, False), (60, None, True), (600, 'W/"weak"', False)],
)
def test_a_date_vouches_only_for_a_file_that_rested(
    web: Web, age: int, etag: str | None, resumed: bool
) -> None:
    """Replaced within the second in which it was read, a file has the date of the old one."""
    server = web(DATA)
    more = {} if etag is None else {"ETag": etag}
    server.script = [dated(server, DATA, 1_000, 1_000 + age, **more), server.serve]
    assert producer(server).download() == DATA
    assert server.ranges == [None, "bytes=700-" if resumed else None]


def test_the_time_for_all_holds_before_the_body(web: Web) -> None:
    server = web(DATA)

    def drip(handler: Handler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
        with suppress(OSError):
            while not server.stalled.wait(0.05):
                handler.wfile.write(b"X-Drip: drop\r\n")
                handler.wfile.flush()

    server.script = [drip]
    with pytest.raises(ChainBeastsError, match=r"it takes longer than 0\.5 s"):
        producer(server, stall=5.0, total=0.5).download()


def unannounced(data: bytes) -> Answer:
    """A body that ends with its connection, wherever that is."""

    def answer(handler: Handler) -> None:
        handler.send_response(200)
        handler.end_headers()
        handler.wfile.write(data)

    return answer


def test_a_body_of_unknown_length_is_not_taken_for_whole(web: Web, cache: Path) -> None:
    server = web(DATA)
    server.script = [unannounced(DATA[: 29 * 32])]
    with pytest.raises(ChainBeastsError, match="does not say how long") as error:
        producer(server).download()
    assert "sha256" in error.value.hint
    assert nothing_is_left(cache)
    server.script = [unannounced(DATA)]
    assert producer(server, sha256=hashlib.sha256(DATA).hexdigest()).download() == DATA
    packed = compress(WORDS)
    server.script = [unannounced(packed)]
    assert tuple(producer(server).words()) == WORDS, "a frame tells by itself whether it is whole"

    def chunked(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        handler.wfile.write(b"%x\r\n%b\r\n0\r\n\r\n" % (len(DATA), DATA))

    server.script = [chunked]
    assert producer(server).download() == DATA


def test_a_table_of_announced_length_needs_no_last_newline(web: Web) -> None:
    server = web(to_csv(WORDS).rstrip())
    assert tuple(producer(server).words()) == WORDS


def test_what_arrives_is_its_owners_alone(web: Web, cache: Path) -> None:
    server = web(DATA)
    server.script = [server.cut(500), lambda handler: handler.say(404)]
    with pytest.raises(ChainBeastsError):
        producer(server).download()
    kept = [path for path in (cache / KIND).iterdir() if path.suffix in (".part", ".json")]
    assert {path.stat().st_mode & 0o777 for path in kept} == {0o600}
    assert len(kept) == 2


def test_a_server_in_trouble_is_asked_again(web: Web) -> None:
    server = web(DATA)
    server.script = [
        lambda handler: handler.say(503),
        lambda handler: handler.say(500),
        server.serve,
    ]
    assert producer(server).download() == DATA


def test_a_range_beyond_the_end_begins_anew(web: Web) -> None:
    server = web(DATA)
    server.script = [server.cut(700), lambda handler: handler.say(416), server.serve]
    assert producer(server).download() == DATA


def test_a_server_that_stalls_is_given_up(web: Web) -> None:
    server = web(DATA)
    server.script = [server.stall]
    with pytest.raises(ChainBeastsError, match="nothing came for") as error:
        producer(server, stall=0.2).download()
    assert "kept" in error.value.hint
    server.script = [server.serve]
    assert producer(server).download() == DATA


def test_a_drip_ends_with_the_time_for_all(web: Web) -> None:
    server = web(DATA)
    server.script = [server.stall]
    with pytest.raises(ChainBeastsError):
        producer(server, stall=0.2, total=0.5).download()


@pytest.mark.parametrize("announced", [True, False])
def test_no_more_is_read_than_allowed(web: Web, cache: Path, announced: bool) -> None:
    server = web(DATA)
    if not announced:

        def endless(handler: Handler) -> None:
            handler.send_response(200)
            handler.end_headers()
            for _ in range(1000):
                handler.wfile.write(DATA)

        server.script = [endless]
    with pytest.raises(ChainBeastsError, match="bytes"):
        producer(server, max_bytes=1000).download()
    assert nothing_is_left(cache)


def test_another_checksum_is_refused(web: Web, cache: Path) -> None:
    server = web(DATA)
    right = hashlib.sha256(DATA).hexdigest()
    assert producer(server, sha256=right.upper()).download() == DATA
    with pytest.raises(ChainBeastsError, match=right):
        producer(server, sha256="0" * 64).download()
    assert nothing_is_left(cache)
    with pytest.raises(ChainBeastsError, match="no SHA-256"):
        producer(server, sha256="12")


def test_what_is_no_dataset_is_refused(web: Web) -> None:
    server = web(b"<html>not found</html>")
    with pytest.raises(ChainBeastsError, match="train"):
        list(producer(server).words())
    compressed = web(DATA)
    compressed.script = [lambda handler: handler.say(200, DATA, Content_Encoding="gzip")]
    with pytest.raises(ChainBeastsError, match="compresses"):
        producer(compressed).download()


def test_a_server_that_is_away_is_said_so() -> None:
    with pytest.raises(ChainBeastsError, match=r"127\.0\.0\.1:9/train could not be downloaded"):
        HttpProducer("127.0.0.1", 9, "/train", total=1.0).download()
    with pytest.raises(ChainBeastsError, match="no http"):
        HttpProducer("ftp://example.org/x")


def test_passwords_stay_out_of_names() -> None:
    assert "secret" not in HttpProducer("http://me:secret@127.0.0.1:9/x?token=secret").name
