"""The root command: collects the nouns of all packages."""

from __future__ import annotations

import gc
from collections.abc import Sequence
from importlib import import_module, metadata
from importlib.util import find_spec
from typing import Annotated

import typer
from typer._click.core import Command  # typer's copy of Click: it has no other name
from typer._click.exceptions import ClickException
from typer.main import get_command

from chainbeasts.backend.cli.twins import add_twins
from chainbeasts.backend.cli.version import PROGRAM, version_line
from chainbeasts.backend.errors import ChainBeastsError

GROUP = "chainbeasts.commands"

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="On-chain creatures whose brains are trained in public, and nobody has to be trusted.",
    epilog="Start here: chainbeasts devnet up --detach && chainbeasts deploy",
    rich_markup_mode=None,
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(version_line())
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


def _add_unavailable(name: str, reason: str, noun: typer.Typer = app) -> None:
    """Stand in for a noun or verb whose package does not load, so that the others work."""

    @noun.command(
        name,
        help=f"(not available: {reason})",
        context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
    )
    def explain() -> None:
        raise ChainBeastsError(
            f"The `{name}` commands are not available: {reason}.",
            "Reinstall the package that brings them.",
        )


def load_commands(wanted: str | None = None, verb: str = "") -> None:
    """Add the nouns of the entry-point group to the root.

    An entry ``noun.verb`` adds to a noun what a package above it contributes.

    Args:
        wanted: the one noun that is asked for; all are added if there is none of this name.
        verb: the one of its verbs that is asked for, which may have a module of its own.
    """
    entries = sorted(metadata.entry_points(group=GROUP), key=lambda e: e.name)
    chosen = [e for e in entries if e.name.partition(".")[0] == wanted]
    named = next((entry for entry in chosen if entry.name == wanted), None)
    if named is not None and verb and (alone := _alone(named.module, verb)) is not None:
        alone.callback()(_keep_verb)
        app.add_typer(alone, name=wanted)
        return
    nouns: dict[str, typer.Typer] = {}
    for entry in chosen or entries:
        name, _, verb = entry.name.partition(".")
        if verb and name not in nouns:
            continue  # the noun is not available, which was said already
        try:
            noun = entry.load()
        except (ImportError, AttributeError) as error:
            _add_unavailable(verb or name, str(error), nouns.get(name, app))
            continue
        verbs = noun.registered_commands
        if verb:
            nouns[name].registered_commands += verbs
            continue
        nouns[name] = noun
        if [verb.name for verb in verbs] == [entry.name]:
            app.registered_commands += verbs  # `chainbeasts deploy` is noun and verb in one
            continue
        if len(verbs) == 1 and noun.registered_callback is None:
            noun.callback()(_keep_verb)
        app.add_typer(noun, name=entry.name)


def _alone(noun: str, verb: str) -> typer.Typer | None:
    """A verb without the rest of its noun, where it needs much less than that.

    Args:
        noun: its module; ``beast list`` of ``trainer.cli.beast`` is ``trainer.cli.beast_list``,
            and what is there is named ``alone``: other modules have such names, too.
    """
    name = f"{noun}_{verb}"
    if not verb.isidentifier() or find_spec(name) is None:
        return None
    found = getattr(import_module(name), "alone", None)
    return found if isinstance(found, typer.Typer) else None


def _keep_verb() -> None:
    """A noun with one verb still wants its verb."""


def load(arguments: Sequence[str]) -> Command:
    """What a command line asks for, with all that it needs imported."""
    load_commands(*arguments[:2])  # the others cost a second to import
    command = get_command(app)
    add_twins(command)
    gc.freeze()
    gc.enable()
    return command


def run(command: Command, arguments: Sequence[str]) -> int:
    """Run a command line; its exit code.

    Raises:
        ChainBeastsError: it could not do what was asked for.
        KeyboardInterrupt: Ctrl-C, also at a prompt.
    """
    try:
        done = command.main(list(arguments), prog_name=PROGRAM, standalone_mode=False)
    except ClickException as error:
        error.show()
        return error.exit_code
    except typer.Abort as error:  # typer's for an answer that was broken off
        if isinstance(error.__context__, EOFError):
            raise ChainBeastsError("Nothing more to read: there is no answer.") from None
        raise KeyboardInterrupt from None
    return done if isinstance(done, int) else 0
