"""The environment in which dask's processes are measured."""

from __future__ import annotations

from pathlib import Path

from scripts.lib.bench.validator import CALM

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "validator.md"


def test_it_is_the_guides_and_dask_knows_each_of_its_names() -> None:
    import dask
    import distributed  # noqa: F401  # which has defaults of its own

    guide = GUIDE.read_text("utf-8")
    assert all(f"export {name}={value}" in guide for name, value in CALM.items())
    for name in CALM:
        path = name.removeprefix("DASK_").lower().replace("__", ".").replace("_", "-")
        assert dask.config.get(path) is not None
