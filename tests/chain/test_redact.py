"""Credentials in URLs are shown nowhere: not in errors, not in logs, not in tracebacks."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import structlog

from chainbeasts.backend.chain.client import connect
from chainbeasts.backend.chain.errors import ChainError, NodeUnavailableError
from chainbeasts.backend.chain.providers import make_provider
from chainbeasts.backend.logs import configure_logging
from chainbeasts.backend.redact import redact_text, redact_url
from tests.support.ports import free_port

ROOT = Path(__file__).parents[2]
KEY = "0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://127.0.0.1:8545", "http://127.0.0.1:8545"),
        ("https://node.example/", "https://node.example/"),
        ("https://me:hush@node.example:1/", "https://***@node.example:1/"),
        ("https://hush@node.example", "https://***@node.example"),
        ("https://me:hu@sh@node.example/", "https://***@node.example/"),
        ("https://me:hu/sh@node.example", "https://***"),
        ("https://me:hu#sh@node.example", "https://***"),
        ("wss://node.example/v3/hush", "wss://node.example/***"),
        ("https://node.example?apikey=hush", "https://node.example?***"),
        ("https://node.example/rpc?apikey=hush#x", "https://node.example/***?***"),
        ("https://[::1", "***"),
        ("postgresql://me:hush@db.example/beasts", "postgresql://***@db.example/beasts"),
        ("postgresql://db.example/b?password=hush", "postgresql://db.example/b?***"),
        ("sqlite:////var/lib/a.sqlite3", "sqlite:////var/lib/a.sqlite3"),
        ("s3://bucket/prefix", "s3://bucket/prefix"),
        ("/srv/snapshots", "/srv/snapshots"),
    ],
)
def test_what_is_shown_of_a_url(url: str, shown: str) -> None:
    assert redact_url(url) == shown
    assert redact_url(shown) == shown


def test_every_url_in_a_text_is_redacted_and_the_rest_stays() -> None:
    said = f"At https://me:h,u(s)h@a.example, (wss://b.example/v3/{KEY}). See ws://c:1/ws/metrics."
    assert redact_text(said) == (
        "At https://***@a.example, (wss://b.example/v3/***). See ws://c:1/ws/metrics."
    )
    assert redact_text(f"retries exceeded with url: /v3/{KEY} (x)") == (
        "retries exceeded with url: /*** (x)"
    )


@pytest.mark.parametrize("scheme", ["http", "ws"])
def test_a_dead_nodes_error_names_it_without_its_key(scheme: str) -> None:
    port = free_port()
    with pytest.raises(NodeUnavailableError) as caught:
        connect(f"{scheme}://me:hush@127.0.0.1:{port}/v3/{KEY}?a=hush")
    assert f"{scheme}://***@127.0.0.1:{port}/***?***" in caught.value.message
    with pytest.raises(ChainError) as wrong:
        make_provider(f"ftp://me:hush@127.0.0.1/{KEY}")
    for error in (caught.value, wrong.value):
        assert "hush" not in str(error)


@pytest.mark.parametrize("json_lines", [False, True])
def test_logs_are_redacted_whatever_the_field(
    json_lines: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logging(json_lines=json_lines)
    url = f"https://me:hush@node.example/v3/{KEY}"
    log = structlog.get_logger()
    try:
        raise OSError(f"cannot reach {url}")
    except OSError as error:
        log.exception("failed", node=url, places=[url, {"at": url}], why=error)
    log.info(f"at {url}", owner_secret="hush", deep={"password": "hush"}, raw=b"\1" * 99)
    said = capsys.readouterr().err
    assert "hush" not in said
    assert KEY not in said
    assert "https://***@node.example/v3/***" in said
    assert "OSError" in said
    if json_lines:
        last = json.loads(said.splitlines()[-1])
        assert (last["owner_secret"], last["deep"]) == ("***", {"password": "***"})
        assert last["raw"] == "0x" + "01" * 64 + "…"


@pytest.mark.parametrize("thread", [False, True])
def test_tracebacks_are_redacted(thread: bool) -> None:
    url = f"https://me:hush@node.example/v3/{KEY}"
    code = (
        "import os, threading\n"
        "from chainbeasts.backend.redact import redact_tracebacks\n"
        "redact_tracebacks()\n"
        "def fail(): raise ValueError(os.environ['URL'])\n"
    )
    code += "threading.Thread(target=fail).start()" if thread else "fail()"
    done = subprocess.run(
        [sys.executable, "-c", code], env={"URL": url}, cwd=ROOT, capture_output=True, text=True
    )
    assert "ValueError: https://***@node.example/v3/***" in done.stderr
    assert "hush" not in done.stderr
