"""Lists in pages, while the chain goes on."""

from __future__ import annotations

import pytest

from chainbeasts.backend.indexer.sync import Indexer
from tests.api.conftest import Scene, Served


def test_a_list_that_grows_shifts_nothing(scene: Scene, served: Served) -> None:
    beast = scene.doubted.beast
    for _ in range(3):
        scene.world.submit(beast, scene.doubted.trainer)
    Indexer(scene.chain, served.services.database).sync()
    path = f"/v1/beasts/{beast}/checkpoints"
    before = [one["index"] for one in served.all(path, 200)]
    first = served.json(f"{path}?limit=2")
    scene.world.submit(beast, scene.doubted.trainer)
    Indexer(scene.chain, served.services.database).sync()
    second = served.json(f"{path}?limit=2&cursor={first['next']}")
    found = [one["index"] for one in first["items"] + second["items"]]
    assert found == before == [3, 2, 1, 0]
    assert second["next"] is None
    assert served.json(path)["items"][0]["index"] == 4


def test_pages_of_any_size_give_the_same_list(served: Served) -> None:
    whole = served.all("/v1/beasts", 200)
    assert [one["id"] for one in whole] == list(range(1, 1 + len(whole)))
    for limit in (1, 2, len(whole)):
        assert [one["id"] for one in served.all("/v1/beasts", limit)] == [
            one["id"] for one in whole
        ]


def test_a_cursor_past_the_end_gives_an_empty_page(served: Served) -> None:
    assert served.json("/v1/beasts?cursor=" + "9" * 18) == {
        "next": None, "previous": "r" + "9" * 18, "items": [],
    }  # fmt: skip
    assert served.json("/v1/disputes?cursor=0")["items"] == []


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=201", "limit=x", "limit=1e9", "cursor=-1", "cursor=1-2-3", "cursor=%00",
     "cursor=" + "9" * 19, "cursor=1'--"],
)  # fmt: skip
def test_what_is_no_page_is_refused(served: Served, query: str) -> None:
    for path in ("/v1/beasts", "/v1/beasts/1/checkpoints", "/v1/disputes", "/v1/matches"):
        answer = served.get(f"{path}?{query}")
        assert answer.status_code == 422, (path, query)
        assert answer.json()["code"] == "invalid_parameter"
