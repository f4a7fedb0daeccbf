"""``chainbeasts kernel``: check an implementation's answers against the published ones."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from chainbeasts.backend.chain.evm_vectors import EvmVectors
from chainbeasts.backend.cli.output import fields, note, print_error, progress, table
from chainbeasts.backend.cli.session import Session, command
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.graph_cache.vectors import NativeVectors
from chainbeasts.backend.kernel import vector_cases
from chainbeasts.backend.kernel.tables import KERNEL_ID, VERSION
from chainbeasts.backend.kernel.vector_check import Mismatch, check_case
from chainbeasts.backend.kernel.vector_fields import VectorFileError, read_document
from chainbeasts.backend.kernel.vectors import KINDS, Kernel, NumpyKernel

app = typer.Typer(help="The consensus kernel: identity and test vectors.", no_args_is_help=True)

BAD_FILE = 2
SHOWN = 20


class Backend(StrEnum):
    """Which implementation answers."""

    NUMPY = "numpy"
    NATIVE = "native"
    EVM = "evm"


@contextmanager
def _kernel(backend: Backend) -> Iterator[Kernel]:
    if backend is Backend.NUMPY:
        yield NumpyKernel()
        return
    if backend is Backend.NATIVE:
        note("Compiling what is not in the cache…")
        yield NativeVectors()
        return
    note("Starting a private chain with the Solidity kernel…")
    with EvmVectors.start() as evm:
        yield evm


def _check(
    kernel: Kernel, kind: str, cases: Sequence[Mapping[str, Any]]
) -> tuple[list[Mismatch], int]:
    """All mismatches, and how many cases have any."""
    found: list[Mismatch] = []
    wrong = 0
    with progress() as bar:
        task = bar.add_task(f"{kind} cases", total=len(cases))
        for number, case in enumerate(cases):
            mismatches = check_case(kernel, kind, case, number)
            found += mismatches
            wrong += bool(mismatches)
            bar.advance(task)
    return found, wrong


def _short(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= 76 else text[:73] + "…"


def _values(mismatch: Mismatch) -> tuple[str, str]:
    return _short(mismatch.expected), _short(mismatch.actual)


def _mismatch_view(mismatches: Sequence[Mismatch]) -> Table:
    rows = [
        tuple(escape(str(cell)) for cell in (m.case, m.name, m.field, *_values(m)))
        for m in mismatches[:SHOWN]
    ]
    more = len(mismatches) - len(rows)
    title = "Mismatches" + (f" (the first {SHOWN}, {more} more)" if more else "")
    return table(title, ("case", "name", "field", "expected", "actual"), rows)


@dataclass(frozen=True, slots=True)
class Result:
    """What the check of one file found."""

    file: Path
    kind: str
    backend: str
    cases: int
    wrong_cases: int
    mismatches: list[Mismatch]

    def view(self) -> RenderableType:
        """The mismatches as a table, or the sentence that there are none."""
        if self.mismatches:
            return Group(Text(str(self.file)), _mismatch_view(self.mismatches))
        return Text(f"{self.file}: all {self.cases} {self.kind} cases agree ({self.backend}).")


def _check_files(files: Sequence[Path], backend: Backend) -> list[Result]:
    """Every file is read before any is checked; one kernel answers them all."""
    documents = [(file, *read_document(file, KINDS)) for file in files]
    results = []
    with _kernel(backend) as kernel:
        for file, kind, cases in documents:
            try:
                mismatches, wrong = _check(kernel, kind, cases)
            except VectorFileError as error:
                raise VectorFileError(f"{file}: {error}") from None
            results.append(Result(file, kind, backend.value, len(cases), wrong, mismatches))
    return results


@command(app, "check", example="chainbeasts kernel check docs/spec/vectors/*.json --backend evm")
def check(
    session: Session,
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE", help="Files in the format of docs/spec/vectors.md."),
    ],
    backend: Annotated[
        Backend,
        typer.Option(help="Who answers: the NumPy reference, the compiled or the Solidity kernel."),
    ] = Backend.NUMPY,
) -> None:
    """Verify files of test vectors. Exit code 1 on a mismatch, 2 if one is no such file.

    With --json one object for one file, a list of them for several.
    """
    try:
        results = _check_files(files, backend)
    except VectorFileError as error:
        print_error(
            ChainBeastsError(f"{error}.", "The format is described in docs/spec/vectors.md.")
        )
        raise typer.Exit(BAD_FILE) from None
    session.show(
        results[0] if len(results) == 1 else results,
        lambda: Group(*(result.view() for result in results)),
    )
    wrong = [result for result in results if result.mismatches]
    for result in wrong:
        note(
            f"{result.wrong_cases} of {result.cases} cases in {result.file} "
            f"are not what the {backend.value} kernel says."
        )
    if wrong:
        raise typer.Exit(1)


@command(app, "vectors", example="chainbeasts kernel vectors -o docs/spec/vectors --check")
def vectors(
    session: Session,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder of the files.")],
    check: Annotated[
        bool,
        typer.Option("--check", help="Compare instead of writing; exit code 1 if one differs."),
    ] = False,
) -> None:
    """Write the published test vectors; the same bytes on every machine."""
    documents = vector_cases.documents()
    if check:
        stale = [name for name, text in documents.items() if _read(output / name) != text]
        if stale:
            raise ChainBeastsError(
                f"Not as generated in {output}: {', '.join(stale)}.",
                f"Write them with `chainbeasts kernel vectors -o {output}`.",
            )
    else:
        _write(output, documents)
    done = "are as generated" if check else "written"
    session.show(
        {"folder": output, "files": sorted(documents), "checked": check},
        Text(f"{len(documents)} files in {output} {done}."),
    )


def _read(path: Path) -> str | None:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return None


def _write(folder: Path, documents: Mapping[str, str]) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in documents.items():
            (folder / name).write_text(text, "utf-8")
    except OSError as error:
        raise ChainBeastsError(
            f"{folder} cannot be written: {error.strerror}.", "Choose another folder with -o."
        ) from None


@command(app, "id", example="chainbeasts kernel id")
def id_(session: Session) -> None:
    """Show which kernel this is: its version and the id that every state hash contains."""
    values = {"version": VERSION, "kernel_id": KERNEL_ID}
    session.show(
        values, lambda: fields("Kernel", {"version": VERSION, "id": "0x" + KERNEL_ID.hex()})
    )
