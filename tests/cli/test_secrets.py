"""No option takes a secret's value: they come from files, the environment or a terminal only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer

from chainbeasts.backend.cli.commands import app, load_commands
from tests.cli.conftest import Cli

SECRET = ("secret", "password", "passphrase", "private", "key", "mnemonic", "seed_phrase", "token")


def parameters(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Every parameter of every command below, with its command's name."""
    for verb, below in getattr(command, "commands", {}).items():
        yield from parameters(below, f"{name} {verb}")
    for parameter in command.params:
        yield name, parameter


def test_no_option_takes_a_secret_by_value() -> None:
    load_commands()
    everything = list(parameters(typer.main.get_command(app), "chainbeasts"))
    assert any(parameter.name == "password_file" for _, parameter in everything)
    for command, parameter in everything:
        named = str(parameter.name).lower()
        if any(word in named for word in SECRET):
            assert named.endswith("_file"), f"{command}: {parameter.opts}"


def test_the_raw_key_is_no_flag_and_is_not_repeated(cli: Cli) -> None:
    done = cli.run("account", "import", "eve", "--private-key", "0x" + "11" * 32)
    assert done.returncode == 2
    assert "11" * 32 not in done.stdout + done.stderr


def test_a_nodes_key_in_the_command_line_is_warned_of(cli: Cli) -> None:
    url = "http://127.0.0.1:1/v3/hush"
    done = cli.run("beast", "list", "--rpc-url", url)
    assert "CHAINBEASTS_RPC_URL" in done.stderr
    assert "hush" not in done.stdout + done.stderr
    cli.rpc_url = url
    done = cli.run("beast", "list")
    assert "command line" not in done.stderr
    assert "hush" not in done.stdout + done.stderr
