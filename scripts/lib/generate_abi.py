"""Writes docs/abi: the contracts' ABI as JSON, their selectors and topics as a page."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from chainbeasts.backend.chain.artifact import Artifact
from chainbeasts.backend.chain.compile import artifacts
from chainbeasts.backend.chain.deployment import CONTRACTS
from chainbeasts.backend.chain.selectors import Entry, entries

TARGET = Path(__file__).resolve().parents[2] / "docs" / "abi"
PAGE = "README.md"
HEAD = """\
# Contracts' ABI and selectors

Written by `scripts/generate_abi` from what the compiler says of the contracts that `deploy`
deploys; `scripts/test` compares.
One file of ABI per contract, for any client: {links}. `chainbeasts abi NAME` shows the same.

What a call reverts with begins with an error's selector; its arguments follow, ABI-encoded.

## Errors

| selector | error | contracts |
|---|---|---|
{errors}
"""
SECTION = """
## {name}

| | selector or topic | signature |
|---|---|---|
{rows}
"""


def pages(made: Mapping[str, Artifact]) -> Iterator[tuple[str, str]]:
    """The files of docs/abi, by name."""
    names = sorted(made)
    for name in names:
        yield f"{name}.json", json.dumps(made[name].abi, indent=1, sort_keys=True) + "\n"
    found = {name: list(entries(made[name].abi)) for name in names}
    head = HEAD.format(
        links=", ".join(f"[{name}]({name}.json)" for name in names),
        errors="\n".join(_errors(found)),
    )
    sections = (SECTION.format(name=name, rows="\n".join(_rows(found[name]))) for name in names)
    yield PAGE, head + "".join(sections)


def _errors(found: Mapping[str, list[Entry]]) -> Iterator[str]:
    """Every error once, by its signature, with the contracts that may revert with it."""
    owners: dict[tuple[str, str], list[str]] = {}
    for name, listed in found.items():
        for one in listed:
            if one.kind == "error":
                owners.setdefault((one.signature, one.identifier), []).append(name)
    for (signature, selector), names in sorted(owners.items()):
        yield f"| `{selector}` | `{signature}` | {', '.join(names)} |"


def _rows(listed: list[Entry]) -> Iterator[str]:
    for one in listed:
        if one.kind != "error":
            yield f"| {one.kind} | `{one.identifier}` | `{one.signature}` |"


def main() -> int:
    """Write or compare; 0 if the folder is right afterwards."""
    parser = argparse.ArgumentParser(prog="scripts/generate_abi", description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    wanted = dict(pages(artifacts(CONTRACTS)))
    if not parser.parse_args().check:
        TARGET.mkdir(exist_ok=True)
        for name, text in wanted.items():
            (TARGET / name).write_text(text, "utf-8")
        return 0
    present = {path.name: path.read_text("utf-8") for path in TARGET.glob("*")}
    if present == wanted:
        return 0
    wrong = sorted(
        name for name in present.keys() | wanted if present.get(name) != wanted.get(name)
    )
    print(f"docs/abi does not tell the contracts: {', '.join(wrong)}. Run scripts/generate_abi.")
    return 1


if __name__ == "__main__":
    sys.exit(main())
