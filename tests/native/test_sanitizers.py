"""Where sanitizers cannot run, the check says why instead of failing."""

from __future__ import annotations

from pathlib import Path

import pytest

from chainbeasts.backend.graph_cache.compilers import Compiler
from scripts.lib import sanitizers


def compiler(folder: Path, script: str) -> Compiler:
    path = folder / "cc"
    path.write_text(f"#!/bin/sh\n{script}\n", "utf-8")
    path.chmod(0o755)
    return Compiler((str(path),), "a compiler")


def test_missing_support_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    one = compiler(tmp_path, "echo 'cannot find -lasan' >&2; exit 1")
    monkeypatch.setattr(sanitizers, "find_compiler", lambda: one)
    assert sanitizers.main() == 0
    assert "Skipped:" in (told := capsys.readouterr().out)
    assert "cannot find -lasan" in told


def test_no_compiler_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sanitizers, "find_compiler", lambda: None)
    assert sanitizers.main() == 0
    assert "no C compiler" in capsys.readouterr().out


def test_a_complaint_fails_the_check(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its program is one that says what a sanitizer says, once there is a kernel to build."""
    one = compiler(
        tmp_path,
        'while [ "$1" != -o ]; do shift; done\n'
        "body='echo heap-buffer-overflow >&2; exit 1'\n"
        "case $3 in *empty.c) body='exit 0';; esac\n"
        'printf "#!/bin/sh\\n$body\\n" > "$2"; chmod +x "$2"',
    )
    monkeypatch.setattr(sanitizers, "find_compiler", lambda: one)
    assert sanitizers.main() == 1
    assert "heap-buffer-overflow" in capsys.readouterr().err
