"""Wrong usage of `chainbeasts`: a sentence and exit code 2, before anything is read or sent."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.core import TyperCommand as Command
from typer.main import get_command

from chainbeasts.backend.cli import commands as program
from chainbeasts.backend.cli.commands import app, load_commands
from tests.cli.conftest import Cli

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("devnte",), "'devnet'"),  # the nearest command is offered
        (("devnet", "fly"), "'fly'"),
        (("devnet", "up", "--port", "70000"), "--port"),
        (("energy", "faucet"), "'amount'"),
        (("season", "show", "first"), "'number'"),
    ],
)
def test_wrong_usage_is_named(cli: Cli, arguments: tuple[str, ...], said: str) -> None:
    done = cli.run(*arguments)
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    assert said in done.stderr
    assert "--help" in done.stderr
    assert "Traceback" not in done.stderr
    assert not cli.home.exists()


def test_every_noun_has_help(cli: Cli) -> None:
    nouns = ["abi", "account", "battle", "beast", "cache", "checkpoint", "dataset", "db", "deploy",
             "devnet", "dispute", "doctor", "energy", "kernel", "leaderboard", "metrics",
             "quickstart", "season", "setup", "trainer", "validator",
             "verify-deployment"]  # fmt: skip
    shown = cli.run("--help").stdout
    for noun in nouns:
        assert noun in shown
        done = cli.run(noun, "--help")
        assert done.returncode == 0, done.stderr
        assert "not available" not in done.stdout
        assert done.stderr == ""
    assert cli.run("--version").stdout.startswith("chainbeasts ")


def verbs(group: Command, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Command]]:
    """Every command with the words that call it."""
    for name, found in getattr(group, "commands", {}).items():
        if hasattr(found, "commands"):
            yield from verbs(found, (*path, name))
        else:
            yield " ".join((*path, name)), found


def test_every_verb_has_a_sentence_an_example_and_json() -> None:
    """As the README says; an example calls the command that it stands under."""
    load_commands()
    found = dict(verbs(get_command(app)))
    assert len(found) > 50
    for words, verb in found.items():
        assert verb.help, words
        assert f"chainbeasts {words}" in (verb.epilog or ""), words
        assert any("--json" in option.opts for option in verb.params), words


def test_the_documents_name_commands_and_options_that_exist() -> None:
    load_commands()
    found = dict(verbs(get_command(app)))
    nouns = {words.split()[0] for words in found}
    nested = {words.rpartition(" ")[0] for words in found}
    parameters = [one for verb in found.values() for one in verb.params]
    known = {name for one in parameters for name in (*one.opts, *one.secondary_opts)}
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").glob("*.md")]
    seen = 0
    for page in pages:
        text = page.read_text("utf-8")
        for noun, verb in re.findall(r"chainbeasts ([a-z][a-z-]*)(?: ([a-z-]+))?", text):
            seen += 1
            assert noun in nouns, (page.name, noun)
            known_verb = f"{noun} {verb}" in found.keys() | nested
            assert noun in found or not verb or known_verb, (page.name, noun, verb)
        if page.parent.name == "guides":
            unknown = set(re.findall(r"`(--[a-z-]+)", text)) - known
            assert not unknown, (page.name, unknown)
    assert seen > 50


@dataclass(frozen=True)
class Entry:
    """An entry point; one without a value is of a package that does not load."""

    name: str
    value: typer.Typer | None = None

    def load(self) -> typer.Typer:
        if self.value is None:
            raise ImportError("its package is away")
        return self.value


def test_packages_add_verbs_to_a_noun_and_one_that_is_away_is_explained(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    noun, verb, root = typer.Typer(), typer.Typer(), typer.Typer()
    noun.command("look")(lambda: None)
    verb.command("lend")(lambda: None)
    entries = [
        Entry("ring.lend", verb),
        Entry("ring", noun),
        Entry("ring.leave"),
        Entry("gone"),
        Entry("gone.too"),
    ]
    monkeypatch.setattr(program, "app", root)
    monkeypatch.setattr(program.metadata, "entry_points", lambda group: entries)
    program.load_commands()
    found: Any = get_command(root)
    assert set(found.commands) == {"gone", "ring"}
    assert set(found.commands["ring"].commands) == {"leave", "lend", "look"}
    for away in (found.commands["gone"], found.commands["ring"].commands["leave"]):
        assert "not available: its package is away" in away.help


def test_only_the_noun_that_is_asked_for_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    for asked, loaded in (("ring", ["ring"]), ("rnig", ["gone", "ring"]), (None, ["gone", "ring"])):
        noun, root = typer.Typer(), typer.Typer()
        noun.command("look")(lambda: None)
        entries = [Entry("ring", noun), Entry("gone")]
        monkeypatch.setattr(program, "app", root)
        monkeypatch.setattr(program.metadata, "entry_points", lambda group, e=entries: e)
        program.load_commands(asked)
        names = [g.name for g in root.registered_groups] + [
            c.name for c in root.registered_commands
        ]
        assert sorted(str(name) for name in names) == loaded


LOOK = """
import sys
from chainbeasts.backend.cli import commands
try:
    asked = ["beast", "list", "--home", sys.argv[1]]
    commands.run(commands.load(asked), asked)
finally:
    print(*sys.modules, sep="\\n")
"""


def test_a_look_at_the_beasts_loads_no_database_and_no_http_client(tmp_path: Path) -> None:
    """Imports are most of what such a command costs."""
    done = subprocess.run(
        [sys.executable, "-P", "-c", LOOK, str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    loaded = set(done.stdout.split())
    assert "web3.eth" in loaded
    heavy = {
        "sqlalchemy",
        "httpx",
        "aiohttp.client",
        "requests.sessions",
        "chainbeasts.trainer.cli.beast",
    }
    assert loaded & heavy == set()


def test_whoever_else_wants_aiohttp_or_requests_gets_it() -> None:
    program = (
        "import chainbeasts.backend, web3, sys; "
        "assert 'aiohttp.client' not in sys.modules; import aiohttp; "
        "print(aiohttp.ClientTimeout(3).total, aiohttp.__version__); "
        "from web3._utils.http_session_manager import ClientTimeout; "
        "print(type(ClientTimeout(4)) is sys.modules['aiohttp'].ClientTimeout); "
        "assert 'requests.sessions' not in sys.modules; import requests; "
        "print(requests.exceptions.Timeout.__name__, requests.__version__); "
        "print(type(requests.Session()) is sys.modules['requests.sessions'].Session)"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.stdout.split() == [
        "3", version("aiohttp"), "True", "Timeout", version("requests"), "True"
    ], done.stderr  # fmt: skip
