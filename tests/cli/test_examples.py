"""The example files name flags, variables and paths that exist."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from backend.cli.main import app, load_commands
from backend.kernels import CHOICE
from backend.settings import Settings, load_settings

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "docs" / "examples"
UNIT, CONTAINER, VARIABLES = "chainbeasts-validator.service", "Containerfile", "validator.env"


def text(name: str) -> str:
    return (EXAMPLES / name).read_text("utf-8")


def command(*words: str) -> Any:
    """A command of the real command line."""
    load_commands()
    found: Any = typer.main.get_command(app)
    for word in words:
        found = found.commands[word]
    return found


def variables_of(found: Any) -> Iterator[str]:
    """The environment twins of a command's options."""
    for parameter in found.params:
        given = parameter.envvar
        yield from [given] if isinstance(given, str) else given or []


def known_variables() -> set[str]:
    settings = {f"CHAINBEASTS_{name.upper()}" for name in Settings.model_fields}
    return settings | {CHOICE} | set(variables_of(command("validator", "run")))


def test_every_variable_in_the_examples_is_one_of_the_validators() -> None:
    for name in (UNIT, CONTAINER, VARIABLES):
        named = set(re.findall(r"\bCHAINBEASTS_[A-Z_]+", text(name)))
        assert named, name
        assert named <= known_variables(), name


def test_the_commands_in_the_examples_exist() -> None:
    (started,) = re.findall(r"^ExecStart=\S+/chainbeasts (.+)$", text(UNIT), re.MULTILINE)
    (by_default,) = re.findall(r'^CMD \["(\w+)", "(\w+)"\]$', text(CONTAINER), re.MULTILINE)
    options = {name for one in command("validator", "run").params for name in one.opts}
    words = started.split()
    assert command(*words[:2]).name == "run"
    assert {word for word in words[2:] if word.startswith("--")} <= options
    assert command(*by_default).name == "run"


def test_the_variables_have_values_that_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    """With its commented lines, too; as systemd and containers read them, without quotes."""
    lines = [line.removeprefix("#") for line in text(VARIABLES).splitlines()]
    given = dict(re.findall(r"^([A-Z_]+)=(\S.*)$", "\n".join(lines), re.MULTILINE))
    assert {"CHAINBEASTS_RPC_URL", "CHAINBEASTS_DATABASE_URL", "CHAINBEASTS_PAYOUT"} <= set(given)
    for name, value in given.items():
        assert '"' not in value, name
        monkeypatch.setenv(name, value)
    settings = load_settings()
    assert settings.rpc_url == given["CHAINBEASTS_RPC_URL"]
    assert settings.log_json is True
    run = command("validator", "run")
    context = run.make_context("run", [])
    assert context.params["confirmations"] == int(given["CHAINBEASTS_CONFIRMATIONS"])
    assert context.params["health_port"] == int(given["CHAINBEASTS_HEALTH_PORT"])
    assert list(context.params["snapshots"]) == given["CHAINBEASTS_SNAPSHOTS"].split()


def test_what_the_container_copies_and_checks_exists() -> None:
    copied = re.findall(r"^COPY (.+) \S+$", text(CONTAINER), re.MULTILINE)
    names = [name for line in copied for name in line.split()]
    assert "requirements.lock" in names
    for name in names:
        assert (ROOT / name).exists(), name
    assert "/healthz" in text(CONTAINER)
    assert re.search(r"^USER (?!root|0)", text(CONTAINER), re.MULTILINE)
    wheel = (ROOT / "pyproject.toml").read_text("utf-8")
    for package in re.search(r"^packages = \[(.+)\]$", wheel, re.MULTILINE)[1].split(","):  # type: ignore[index]
        assert package.strip(' "') in names
