"""Checks of what a home keeps: the databases, and that nobody else can read its secrets."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from alembic.script import ScriptDirectory

from chainbeasts.backend.doctor.report import Check, failed, guarded, ok, warning
from chainbeasts.backend.redact import redact_url
from chainbeasts.backend.settings import Settings
from chainbeasts.backend.store.private import SECRET_FILE
from chainbeasts.backend.store.session import alembic_config, current_revision, parse_url

ROLES = ("validator", "trainer", "arena")
GROUP_AND_OTHERS, OTHERS = 0o077, 0o007


def check_databases(settings: Settings) -> Iterator[Check]:
    """Each role's database can be reached and has the newest schema; one URL is checked once."""
    urls = {settings.database(role): role for role in reversed(ROLES)}
    for url, role in reversed(urls.items()):
        name = "database" if settings.database_url is not None else f"database of the {role}"
        yield from guarded(name, _check_database(name, url))


def _check_database(name: str, url: str) -> Iterator[Check]:
    parsed = parse_url(url)
    where = redact_url(url)
    if parsed.drivername.startswith("sqlite") and not Path(parsed.database or "").exists():
        yield ok(name, f"{where} does not exist yet; a daemon makes it.")
        return
    scripts = ScriptDirectory.from_config(alembic_config(url))
    newest = scripts.get_current_head()
    revision = current_revision(url)
    if revision == newest:
        yield ok(name, f"{where} answers; its schema is the newest ({newest}).")
    elif revision is None or revision in {one.revision for one in scripts.walk_revisions()}:
        do = "Nothing, if a daemon is about to start: it upgrades. Else: chainbeasts db upgrade"
        yield warning(name, f"{where} has schema {revision or 'none'}, not {newest}.", do)
    else:
        do = "Use the newer version of chainbeasts that made it, or another database."
        yield failed(name, f"{where} has the unknown schema {revision}.", do)


def check_permissions(settings: Settings) -> Iterator[Check]:
    """Keystores, owners' secrets and the password file are their owner's alone."""
    name = "secrets"
    files = [
        *sorted(settings.keystore_dir.glob("*.json")),
        *sorted((settings.home / "beasts").glob(f"**/{SECRET_FILE}")),
    ]
    if settings.password_file is not None and settings.password_file.exists():
        files.append(settings.password_file)
    loose = [path for path in files if _readable_by_others(path)]
    for path in loose:
        mode = stat.S_IMODE(path.stat().st_mode)
        yield failed(name, f"{path} has mode {mode:04o}.", f"Run: chmod 600 {path}")
    if not loose:
        yield ok(name, f"{len(files)} files of secrets, readable by their owner only.")


def _readable_by_others(path: Path) -> bool:
    found = path.stat()
    # systemd lends a credential to the service's user by an ACL, which shows as the group's right
    mask = GROUP_AND_OTHERS if found.st_uid == os.getuid() else OTHERS
    return os.name == "posix" and bool(found.st_mode & mask)
