"""Who is answered at all, and what every answer carries."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import httpx
import pytest

from chainbeasts.backend.api.guard import HEADERS, parse_origin
from chainbeasts.backend.api.limits import Limits, RateLimit, neighbourhood
from chainbeasts.backend.api.routes.beasts import SVG_POLICY
from chainbeasts.backend.api.vendored import VENDORED
from chainbeasts.backend.errors import ChainBeastsError
from tests.api.conftest import Scene, Served, serving
from tests.support.patience import PATIENCE

LIMITS = Limits(rate=0.001, burst=5)


@pytest.fixture(scope="module")
def strict(served: Served) -> Iterator[Served]:
    """The same services behind a strict limit, and known by another name, too."""
    with serving(idle(served), limits=LIMITS, hosts=["beasts.example"]) as found:
        yield found


def idle(served: Served):  # type: ignore[no-untyped-def]
    """The services with a follower of their own that has ended already."""
    from tests.api.conftest import services_of

    services = served.services
    return services_of(services.chain, services.database, services.bundles.parent, follows=False)


def raw(served: Served, text: str) -> bytes:
    """What the server answers to some bytes."""
    host, port = served.url.removeprefix("http://").split(":")
    with closing(socket.create_connection((host, int(port)), timeout=PATIENCE)) as connection:
        connection.sendall(text.encode("latin-1"))
        found = b""
        while part := connection.recv(65_536):
            found += part
    return found


PORTRAIT = {
    "Content-Security-Policy": SVG_POLICY,
    "Cross-Origin-Resource-Policy": "cross-origin",
}
"""Any page may show a portrait."""


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/status", 200),
        ("/v1/beasts/1/portrait.svg", 200),
        ("/openapi.json", 200),
        ("/vendor/uplot.js", 200),
        ("/v1/beasts/99", 404),
        ("/v1/beasts/x", 422),
        ("/v1/beasts?limit=0", 422),
        ("/nothing", 404),
        ("/docs", 404),
        ("/redoc", 404),
        ("/v1/status?" + "x" * 4_500, 414),
    ],
)
def test_every_answer_carries_the_headers(served: Served, path: str, status: int) -> None:
    answer = served.get(path)
    assert answer.status_code == status
    for name, value in HEADERS.items():
        if path.endswith(".svg") and name in PORTRAIT:
            assert answer.headers[name] == PORTRAIT[name]
        else:
            assert answer.headers[name] == value
    assert "script-src" not in answer.headers["content-security-policy"]
    assert "access-control-allow-origin" not in answer.headers
    assert "server" not in answer.headers
    if status >= 400:
        assert answer.headers["content-type"] == "application/problem+json"
        found = answer.json()
        assert set(found) == {"type", "title", "status", "detail", "code", "hint"}
        assert found["status"] == status
        assert found["type"] == f"urn:chainbeasts:problem:{found['code']}"


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
def test_nothing_can_be_changed(served: Served, method: str) -> None:
    answer = httpx.request(method, f"{served.url}/v1/beasts", trust_env=False, timeout=PATIENCE)
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, HEAD"


def test_a_head_is_a_get_without_its_body(served: Served) -> None:
    full = served.get("/v1/beasts")
    head = httpx.head(f"{served.url}/v1/beasts", trust_env=False, timeout=PATIENCE)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["etag"] == full.headers["etag"]


def test_no_route_takes_a_body(served: Served) -> None:
    sent = httpx.request(
        "GET", f"{served.url}/v1/status", content=b"x", trust_env=False, timeout=PATIENCE
    )
    assert sent.status_code == 413
    start = "GET /v1/status HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
    chunked = raw(served, f"{start}Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n")
    assert b" 413 " in chunked.splitlines()[0]


def test_headers_are_bounded(served: Served) -> None:
    found = raw(served, "GET /v1/status HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + "x" * 20_000)
    assert b" 400 " in found.splitlines()[0]


@pytest.mark.parametrize(
    ("host", "status"),
    [("127.0.0.1", 200), ("localhost:1", 200), ("evil.example", 421), ("beasts.example", 421)],
)
def test_only_names_of_ours_are_answered(served: Served, host: str, status: int) -> None:
    assert served.get("/v1/status", headers={"Host": host}).status_code == status


def test_a_name_can_be_allowed(strict: Served) -> None:
    answer = strict.get(
        "/v1/season", headers={"Host": "Beasts.example", "X-Forwarded-For": "9.9.9.1"}
    )
    assert answer.status_code == 200


def test_too_many_requests_are_told_when_to_come_back(strict: Served) -> None:
    mine = {"X-Forwarded-For": "203.0.113.7"}
    found = [strict.get("/v1/season", headers=mine) for _ in range(7)]
    assert [answer.status_code for answer in found] == [200] * 5 + [429] * 2
    assert int(found[-1].headers["retry-after"]) >= 900
    assert "Ask again in" in found[-1].json()["hint"]
    other = strict.get("/v1/season", headers={"X-Forwarded-For": "203.0.113.8"})
    assert other.status_code == 200


def test_a_limit_refills_with_time_and_forgets_the_silent() -> None:
    now = [0.0]
    limit = RateLimit(Limits(rate=2, burst=3, addresses=2), lambda: now[0])
    assert [limit.take("192.0.2.1") for _ in range(4)] == [0, 0, 0, 1]
    now[0] = 0.5
    assert [limit.take("192.0.2.1") for _ in range(2)] == [0, 1]
    assert limit.take("192.0.2.2") == limit.take("192.0.2.3") == 0  # the first one is forgotten
    assert limit.take("192.0.2.1") == 0


def test_a_household_with_ipv6_is_one_client() -> None:
    assert neighbourhood("2001:db8::1") == neighbourhood("2001:db8::ffff:1")
    assert neighbourhood("2001:db8::1") != neighbourhood("2001:db8:0:1::1")
    assert neighbourhood("::ffff:192.0.2.1") == "192.0.2.1"
    assert neighbourhood("x" * 10_000) == neighbourhood("unknown") == ""


TRAVERSALS = [
    "/../pyproject.toml", "/%2e%2e/%2e%2e/pyproject.toml", "/vendor/../../package.json",
    "/vendor/..%2f..%2fpackage.json", "/vendor/%2e%2e%2fpackage.json", "/vendor/package.json",
    "/vendor/uplot/dist/uPlot.cjs.js", "/v1/snapshots/../../api.sqlite3",
    "/v1/snapshots/..%2f..%2fapi.sqlite3", "/v1/states/" + "../" * 20 + "etc/passwd",
    "/v1/words/%00", "/v1/snapshots/" + "a" * 63, "/v1/snapshots/" + "g" * 64,
    "/v1/disputes/..%2f1/bundle", "/v1/disputes/-1/bundle", "//etc/passwd", "/etc/passwd",
    "/v1/disputes/1%2f..%2f..%2fapi.sqlite3/bundle", "/routes/page.py", "/../app.py",
]  # fmt: skip


@pytest.mark.parametrize("path", TRAVERSALS)
def test_no_path_leads_out(served: Served, path: str) -> None:
    answer = raw(served, f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
    status = int(answer.split(b" ", 2)[1])
    assert status in (404, 422), answer[:200]
    assert b'{"type":' in answer


def test_the_libraries_are_served_and_nothing_else_of_their_packages(served: Served) -> None:
    for name in VENDORED:
        answer = served.get(f"/vendor/{name}")
        assert answer.status_code == 200
        kind = "text/css" if name.endswith(".css") else "text/javascript"
        assert answer.headers["content-type"].startswith(kind)
    sha3 = served.get("/vendor/sha3.js").text
    imported = {line.split('"')[-2] for line in sha3.splitlines() if line.startswith("import ")}
    assert {name.removeprefix("./") for name in imported} <= set(VENDORED)


def test_a_client_that_has_an_answer_gets_it_once(served: Served) -> None:
    first = served.get("/v1/season")
    tag = first.headers["etag"]
    again = served.get("/v1/season", headers={"If-None-Match": f'"x", {tag}'})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == tag
    assert served.get("/v1/season", headers={"If-None-Match": '"x"'}).status_code == 200


def test_text_is_compressed_and_what_is_packed_is_not(scene: Scene, served: Served) -> None:
    packed = {"Accept-Encoding": "gzip"}
    assert served.get("/vendor/uplot.js", headers=packed).headers["content-encoding"] == "gzip"
    digest = scene.honest.windows[0].checkpoint.payload.h128.hex()
    assert "content-encoding" not in served.get(f"/v1/snapshots/{digest}", headers=packed).headers


LAB, OTHER = "https://lab.example", "https://other.example"


def test_pages_of_others_read_what_they_were_allowed_to(served: Served) -> None:
    with serving(idle(served), limits=Limits(rate=0), origins=[LAB]) as found:
        answer = found.get("/v1/status", headers={"Origin": LAB})
        assert answer.headers["access-control-allow-origin"] == LAB
        assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
        assert "origin" in answer.headers["vary"].lower()
        assert "access-control-allow-credentials" not in answer.headers
        missing = found.get("/v1/beasts/99", headers={"Origin": LAB})
        assert missing.headers["access-control-allow-origin"] == LAB
        asked = httpx.options(
            f"{found.url}/v1/status",
            headers={"Origin": LAB, "Access-Control-Request-Method": "GET"},
            trust_env=False,
            timeout=PATIENCE,
        )
        assert asked.status_code == 204
        assert asked.headers["access-control-allow-methods"] == "GET, HEAD"
        assert asked.headers["access-control-allow-origin"] == LAB
        for stranger in (OTHER, f"{LAB}:8443", f"{LAB}.evil.example", "null"):
            answer = found.get("/v1/status", headers={"Origin": stranger})
            assert "access-control-allow-origin" not in answer.headers
            refused = httpx.options(
                f"{found.url}/v1/status",
                headers={"Origin": stranger},
                trust_env=False,
                timeout=PATIENCE,
            )
            assert refused.status_code == 405
        answer = found.get("/v1/status")
        assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize(("acts", "framed"), [(False, f"{LAB} {OTHER}"), (True, "'none'")])
def test_pages_of_others_show_ours_in_a_frame_unless_readers_sign_there(
    served: Served, acts: bool, framed: str
) -> None:
    """Who signs is not to be led astray by what is drawn over a frame."""
    offered = replace(idle(served), wallet=acts)
    with serving(offered, limits=Limits(rate=0), origins=[LAB, OTHER]) as found:
        headers = found.get("/").headers
    assert f"frame-ancestors {framed};" in headers["content-security-policy"]
    assert headers.get("x-frame-options") == ("DENY" if acts else None)


@pytest.mark.parametrize(
    "text", ["*", "lab.example", "https://lab.example/", "https://a b", "null", "file://x", ""]
)
def test_what_is_no_origin_is_refused_at_the_start(text: str) -> None:
    with pytest.raises(ChainBeastsError):
        parse_origin(text)
