"""Where the contracts and the Node packages lie: in a checkout or in an installed wheel."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def is_checkout() -> bool:
    """Whether this is a checkout, whose contracts its own compiler compiles, or a wheel."""
    root = _PACKAGE.parent
    return (root / "contracts").is_dir() and (root / "package.json").is_file()


def project_root() -> Path:
    """The folder that holds ``contracts/`` and ``package.json``."""
    return _PACKAGE.parent if is_checkout() else _PACKAGE / "resources"


def contracts_dir() -> Path:
    """The Solidity sources."""
    return project_root() / "contracts"


def built_contracts_dir() -> Path | None:
    """The compiled contracts that a wheel brings along; None in a checkout, which compiles."""
    folder = _PACKAGE / "resources" / "artifacts"
    return None if is_checkout() or not folder.is_dir() else folder


def gas_report_file() -> Path:
    """The figures of the gas report, as JSON."""
    return project_root() / "docs" / "gas-report.json"


def samples_file() -> Path:
    """The battle records that the demonstrations train on."""
    return project_root() / "examples" / "battle_samples.csv"


def node_modules_dirs() -> list[Path]:
    """Where Node packages may be: the project, then the folder the command runs in."""
    found = [project_root() / "node_modules", Path.cwd() / "node_modules"]
    return [folder for folder in dict.fromkeys(found) if folder.is_dir()]
