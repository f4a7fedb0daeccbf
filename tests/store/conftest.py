"""Databases of each kind, and one place of snapshots of each kind, with the folder behind it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.store.servers import BUCKET, KEYS, Web, s3_server
from tests.support.postgres import database_url, postgres_server, postgres_url

__all__ = ["database_url", "postgres_server", "postgres_url"]


@dataclass
class Shelf:
    """A place of published states.

    Attributes:
        url: as ``--snapshots`` takes it.
        folder: where the files lie that it serves.
        publish: what a trainer that publishes there names.
    """

    kind: str
    url: str
    folder: Path
    publish: str


@pytest.fixture(scope="module")
def s3_root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, Path]]:
    """An S3 server and the folder of its buckets."""
    root = tmp_path_factory.mktemp("s3")
    with s3_server(root) as port:
        yield port, root


@pytest.fixture
def s3(s3_root: tuple[int, Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """The S3 server in the environment; the folder behind its bucket."""
    port, root = s3_root
    s3_environment(monkeypatch, port)
    return root / BUCKET


def s3_environment(monkeypatch: pytest.MonkeyPatch, port: int) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEYS[0])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", KEYS[1])


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Web]:
    """A web server over a folder."""
    folder = tmp_path / "web"
    folder.mkdir()
    made = Web(folder)
    yield made
    made.close()


@pytest.fixture(params=["folder", "http", "s3"])
def shelf(request: pytest.FixtureRequest, tmp_path: Path) -> Shelf:
    """A place of each kind."""
    kind = str(request.param)
    if kind == "folder":
        folder = tmp_path / "published"
        return Shelf(kind, str(folder), folder, str(folder))
    if kind == "http":
        server: Web = request.getfixturevalue("web")
        return Shelf(kind, server.url, server.folder, str(server.folder))
    prefix = tmp_path.name
    bucket: Path = request.getfixturevalue("s3")
    url = f"s3://{BUCKET}/{prefix}/deep"
    return Shelf(kind, url, bucket / prefix / "deep", url)
