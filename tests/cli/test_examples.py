"""The example files name flags, variables and paths that exist."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from chainbeasts.backend.cli.commands import app, load_commands
from chainbeasts.backend.cli.twins import add_twins
from chainbeasts.backend.kernels import CHOICE
from chainbeasts.backend.settings import Settings, load_settings

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "docs" / "examples"
CONTAINER = "Containerfile"
SERVICES = {
    "validator": ("validator", "run"),
    "defender": ("trainer", "defend"),
    "serve": ("serve",),
}
"""The commands of the units; each has a file of variables of its name."""


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


def known_variables(*words: str) -> set[str]:
    settings = {f"CHAINBEASTS_{name.upper()}" for name in Settings.model_fields}
    return settings | {CHOICE} | set(variables_of(twinned(*words)))


def twinned(*words: str) -> Any:
    """A command whose options have their twins."""
    load_commands()
    found: Any = typer.main.get_command(app)
    add_twins(found)
    for word in words:
        found = found.commands[word]
    return found


@pytest.mark.parametrize("name", SERVICES)
def test_every_variable_in_the_examples_is_one_of_its_daemons(name: str) -> None:
    files = [f"chainbeasts-{name}.service", f"{name}.env"]
    for file in [*files, CONTAINER] if name == "validator" else files:
        named = set(re.findall(r"\b(?:CHAINBEASTS|METRICS)_[A-Z_]+", text(file)))
        assert named, file
        assert named <= known_variables(*SERVICES[name]), file


@pytest.mark.parametrize("name", SERVICES)
def test_the_commands_in_the_examples_exist(name: str) -> None:
    unit = text(f"chainbeasts-{name}.service")
    (started,) = re.findall(r"^ExecStart=\S+/chainbeasts (.+)$", unit, re.MULTILINE)
    assert tuple(started.split()) == SERVICES[name]
    assert command(*SERVICES[name]).name == SERVICES[name][-1]
    assert f"EnvironmentFile=/etc/chainbeasts/{name}.env" in unit


def test_the_container_starts_a_validator() -> None:
    (by_default,) = re.findall(r'^CMD \["(\w+)", "(\w+)"\]$', text(CONTAINER), re.MULTILINE)
    assert by_default == SERVICES["validator"]


@pytest.mark.parametrize("name", SERVICES)
def test_the_units_are_confined_alike(name: str) -> None:
    """No core dump holds a key, and nothing but its folders is written."""
    unit, model = (text(f"chainbeasts-{one}.service") for one in (name, "validator"))
    confined = model[model.index("NoNewPrivileges=") :]
    assert unit.endswith(confined)
    assert "\nLimitCORE=0\n" in confined
    assert ("PASSWORD" in unit) is (name != "serve")


@pytest.mark.parametrize("name", SERVICES)
def test_the_variables_have_values_that_fit(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With its commented lines, too; as systemd and containers read them, without quotes."""
    lines = [line.removeprefix("#") for line in text(f"{name}.env").splitlines()]
    given = dict(re.findall(r"^([A-Z_]+)=(\S.*)$", "\n".join(lines), re.MULTILINE))
    assert {"CHAINBEASTS_RPC_URL", "CHAINBEASTS_DATABASE_URL"} <= set(given)
    for variable, value in given.items():
        assert '"' not in value, variable
        monkeypatch.setenv(variable, value)
    settings = load_settings()
    assert settings.rpc_url == given["CHAINBEASTS_RPC_URL"]
    assert settings.log_json is True
    run = twinned(*SERVICES[name])
    context = run.make_context(run.name, [])
    (depth,) = (int(value) for key, value in given.items() if key.endswith("_CONFIRMATIONS"))
    assert context.params["confirmations"] == depth
    assert context.params["health_port"] == int(given["CHAINBEASTS_HEALTH_PORT"])
    assert list(context.params["snapshots"]) == given["CHAINBEASTS_SNAPSHOTS"].split()
    if name == "serve":
        assert context.params["port"] == int(given["CHAINBEASTS_SERVE_PORT"])
        assert list(context.params["allow_host"]) == [given["CHAINBEASTS_SERVE_ALLOW_HOST"]]


def test_what_the_container_copies_and_checks_exists() -> None:
    copied = re.findall(r"^COPY (.+) \S+$", text(CONTAINER), re.MULTILINE)
    own = [line for line in copied if not line.startswith("--from=")]
    names = [name for line in own for name in line.split()]
    assert "requirements.lock" in names
    for name in names:
        assert (ROOT / name).exists(), name
    assert "/healthz" in text(CONTAINER)
    assert re.search(r"^USER (?!root|0)", text(CONTAINER), re.MULTILINE)
    # The wheel is built of the whole checkout, without what builds and tools have left in it.
    assert "." in names
    left_out = (ROOT / ".dockerignore").read_text("utf-8").split()
    assert {".git", ".venv*", "node_modules"} <= set(left_out)
    wheel = (ROOT / "pyproject.toml").read_text("utf-8")
    for package in re.search(r"^packages = \[(.+)\]$", wheel, re.MULTILINE)[1].split(","):  # type: ignore[index]
        assert package.strip(' "') not in left_out
