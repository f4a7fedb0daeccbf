"""The reference of commands, from the command line itself."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption
from typer.main import get_command

from chainbeasts.backend.cli import commands
from chainbeasts.backend.cli.twins import WITHOUT, add_twins
from scripts.lib.site.markdown import cell, table

HEAD = """# Commands

Every noun and verb of `chainbeasts` with its options, made from the program, each option with its
environment twin. [Settings](settings.md) hold for all commands.

"""


def root() -> TyperGroup:
    """The whole tree of commands, with the environment twins."""
    commands.load_commands()
    tree = get_command(commands.app)
    assert isinstance(tree, TyperGroup)
    add_twins(tree)
    return tree


def walk(command: object, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], TyperCommand]]:
    """Every command that does something, with the words that call it."""
    if isinstance(command, TyperGroup):
        for name in sorted(command.commands):
            yield from walk(command.commands[name], (*path, name))
    elif isinstance(command, TyperCommand):
        yield path, command


def page() -> str:
    """The page's text."""
    parts, noun = [HEAD], ""
    tree = root()
    for path, command in walk(tree, ()):
        if len(path) > 1 and path[0] != noun:
            noun = path[0]
            parts.append(f"## {noun}\n\n{_prose(tree.commands[noun].help)}\n")
        level = "##" if len(path) == 1 else "###"
        parts.append(f"{level} chainbeasts {' '.join(path)}\n\n{_command(command)}")
    return "\n".join(parts)


def _command(command: TyperCommand) -> str:
    context = typer.Context(command)
    rows = []
    for one in command.params:
        if isinstance(one, TyperOption) and (one.hidden or one.name in WITHOUT):
            continue
        record = one.get_help_record(context)
        shown, told = record or (_name(one), getattr(one, "help", None) or "")
        rows.append((f"`{shown}`", cell(told)))
    epilog = f"\n```\n{inspect.cleandoc(command.epilog)}\n```\n" if command.epilog else ""
    return f"{_prose(command.help)}\n{table(('argument or option', 'meaning'), rows)}{epilog}"


def _name(parameter: object) -> str:
    assert isinstance(parameter, TyperArgument)
    return parameter.metavar or (parameter.name or "").upper()


def _prose(text: str | None) -> str:
    return f"{' '.join(inspect.cleandoc(text).split())}\n" if text else ""
