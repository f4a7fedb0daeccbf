"""Runs `chainbeasts` commands as processes forked from one that has loaded the program already.

Each command is a process of its own, with its own environment, arguments and streams, and goes
through the same ``main``; what it saves is the second of imports. Reads one JSON request a line on
stdin and answers with a number: ``run`` with the exit code, ``start`` at once with the process id,
``end`` (a signal to a process id, 0 for none) with the exit code, or null while it runs on.
"""

from __future__ import annotations

import json
import os
import sys
from contextlib import suppress
from importlib import metadata
from typing import Any

from backend.cli.main import GROUP, main


def child(request: dict[str, Any]) -> None:
    """Become the command; does not return."""
    os.environ.clear()
    os.environ.update(request["environment"])
    with open(os.devnull) as nothing:
        os.dup2(nothing.fileno(), 0)
    for descriptor, name in ((1, "out"), (2, "err")):
        with open(request[name], "ab" if request["do"] == "start" else "wb") as file:
            os.dup2(file.fileno(), descriptor)
    sys.argv = ["chainbeasts", *request["arguments"]]
    code: Any = 70
    try:
        main()
        code = 0
    except SystemExit as ending:
        code = 0 if ending.code is None else ending.code
    except BaseException:
        sys.excepthook(*sys.exc_info())
        code = 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code if isinstance(code, int) else 1)


def serve() -> None:
    """Load every noun, then fork for each request."""
    for entry in metadata.entry_points(group=GROUP):
        with suppress(ImportError):  # the program says so itself
            entry.load()
    for line in sys.stdin:
        request = json.loads(line)
        sys.stdout.write(f"{json.dumps(answer(request))}\n")
        sys.stdout.flush()


def answer(request: dict[str, Any]) -> int | None:
    """Do what is asked."""
    if request["do"] == "end":
        return end(request["pid"], request["signal"])
    pid = os.fork()
    if pid == 0:
        child(request)
    return pid if request["do"] == "start" else os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def end(pid: int, number: int) -> int | None:
    """Signal a child that was started, and wait for its end; with 0 only look."""
    if number:
        os.kill(pid, number)
    found, status = os.waitpid(pid, 0 if number else os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if found else None


if __name__ == "__main__":
    serve()
