"""Where the contracts and the Node packages lie: in a checkout or in an installed wheel."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def project_root() -> Path:
    """The folder that holds ``contracts/`` and ``package.json``."""
    checkout = _PACKAGE.parent
    return checkout if (checkout / "contracts").is_dir() else _PACKAGE / "resources"


def contracts_dir() -> Path:
    """The Solidity sources."""
    return project_root() / "contracts"


def gas_report_file() -> Path:
    """The figures of the gas report, as JSON."""
    return project_root() / "docs" / "gas-report.json"


def node_modules_dirs() -> list[Path]:
    """Where Node packages may be: the project, then the folder the command runs in."""
    found = [project_root() / "node_modules", Path.cwd() / "node_modules"]
    return [folder for folder in dict.fromkeys(found) if folder.is_dir()]
