"""Where the program starts and ends: what it prints on, what interrupts it, its exit code.

Nothing is imported here before it is needed, so that `--version` costs little more than Python, and
Ctrl-C is quiet from the first moment on.
"""

from __future__ import annotations

import codecs
import gc
import os
import signal
import sys
from typing import TYPE_CHECKING, NoReturn, TextIO

from chainbeasts.backend.cli.version import version_line

if TYPE_CHECKING:
    from types import FrameType

FAILED, INTERRUPTED = 1, 128 + signal.SIGINT

AGAIN_SECONDS = 0.01
"""Between two looks at whether an interrupt that was only told of can be sent again."""

_ASCII = {"…": "...", "–": "-", "—": "-", "×": "x", "·": "*", "±": "+-", "Σ": "sum", "≤": "<="}


def main() -> None:
    """Run the command line; exit 0 on success, 1 on an error, 2 on wrong usage, 130 on Ctrl-C."""
    signal.signal(signal.SIGINT, _quit)
    _open_streams()
    code = _told(version_line()) if sys.argv[1:] == ["--version"] else _command()
    signal.signal(signal.SIGINT, _quit)  # what is left is Python's own end
    # Python notes when an interrupt leaves code that is made from text, as of every dataclass, and
    # with `-m` ends by the signal for it, whoever caught it since. Any such code clears the note.
    exec("")
    sys.exit(code)


def _command() -> int:
    """Run what the arguments name, and turn what goes wrong into sentences."""
    # What is imported stays: looking through it for garbage took a fifth of a short command's time.
    gc.disable()
    from chainbeasts.backend.cli import commands
    from chainbeasts.backend.cli.output import print_error
    from chainbeasts.backend.errors import ChainBeastsError
    from chainbeasts.backend.redact import redact_tracebacks

    redact_tracebacks()
    try:
        command = commands.load(sys.argv[1:])
        sys.unraisablehook = _interrupt_again
        signal.signal(signal.SIGINT, signal.default_int_handler)  # now something begins
        code = commands.run(command, sys.argv[1:])
        sys.stdout.flush()
    except ChainBeastsError as error:
        print_error(error)
    except BrokenPipeError:
        _hang_up()
    except OSError as error:
        print_error(ChainBeastsError(_sentence(error)))
        _hang_up()
    except KeyboardInterrupt:
        return INTERRUPTED
    except RuntimeError as error:
        # Python 3.11 makes one of whatever leaves a `__set_name__`, while a module is loaded.
        if isinstance(error.__cause__, KeyboardInterrupt):
            return INTERRUPTED
        raise
    else:
        return code
    return FAILED


def _told(line: str) -> int:
    """Print a line; the exit code."""
    try:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
    except OSError:
        _hang_up()
        return FAILED
    return 0


def _sentence(error: OSError) -> str:
    """What the system says: a full disk, a folder that may not be written."""
    where = f" ({error.filename})" if error.filename else ""
    return f"{error.strerror or type(error).__name__}{where}."


def _hang_up() -> None:
    """Let Python's end write what nobody reads, or nothing takes, into nothing."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _quit(number: int, frame: FrameType | None) -> NoReturn:
    """End without a word: nothing has begun, or all is done."""
    os._exit(INTERRUPTED)


def _interrupt_again(told: sys.UnraisableHookArgs) -> None:
    """Let no interrupt be lost that came where Python only tells of errors, as in a finalizer."""
    if not issubclass(told.exc_type, KeyboardInterrupt):
        sys.__unraisablehook__(told)
        return
    from _thread import get_ident, start_new_thread

    start_new_thread(_interrupt_outside, (get_ident(),))


def _interrupt_outside(thread: int) -> None:
    """Interrupt the process as soon as its thread has left the hook, where that would be lost."""
    import time

    while _is_told(sys._current_frames().get(thread)):
        time.sleep(AGAIN_SECONDS)
    os.kill(os.getpid(), signal.SIGINT)


def _is_told(frame: FrameType | None) -> bool:
    while frame is not None and frame.f_code is not _interrupt_again.__code__:
        frame = frame.f_back
    return frame is not None


def _open_streams() -> None:
    """Make sure that there is something to print on, and that it takes every character."""
    if os.environ.get("COLUMNS", "1").strip("0 ") == "":
        del os.environ["COLUMNS"]  # a terminal that does not know its width
    # Else the next file that is opened would get a closed stream's number, and what is printed.
    while (number := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(number)
    if sys.__stdout__ is None:  # what Python makes of a closed one
        sys.stdout = _writer(1)
    if sys.__stderr__ is None:
        sys.stderr = _writer(2)
    codecs.register_error("chainbeasts.spelled", _spell)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="chainbeasts.spelled")  # type: ignore[union-attr]


def _writer(descriptor: int) -> TextIO:
    return os.fdopen(descriptor, "w", encoding="utf-8", closefd=False)


def _spell(error: UnicodeError) -> tuple[str, int]:
    """Stands in for characters that a stream's encoding lacks."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lost = error.object[error.start : error.end]
    return "".join(_ASCII.get(character, "?") for character in lost), error.end
