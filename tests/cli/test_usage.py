"""Wrong usage of `chainbeasts`: a sentence and exit code 2, before anything is read or sent."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Cli


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


def test_every_noun_and_verb_has_help(cli: Cli) -> None:
    nouns = ["account", "beast", "checkpoint", "db", "deploy", "devnet", "dispute", "doctor",
             "energy", "kernel", "season", "trainer", "validator"]  # fmt: skip
    shown = cli.run("--help").stdout
    for noun in nouns:
        assert noun in shown
        done = cli.run(noun, "--help")
        assert done.returncode == 0, done.stderr
        assert "not available" not in done.stdout
        assert done.stderr == ""
    assert cli.run("--version").stdout.startswith("chainbeasts ")
