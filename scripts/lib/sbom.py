"""Writes a release's bill of materials (CycloneDX 1.6) from the locks.

What it lists: the Python packages of requirements.lock, and of npm those that package.json needs at
run time or compiles or copies into the wheel. The same locks give the same bytes: it has no clock
and no random serial number.
"""

from __future__ import annotations

import argparse
import base64
import json
import re
import sys
import tomllib
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
PLACE = "node_modules/"
MARKER = "chainbeasts:environment"
SERIALS = uuid.UUID("f2b8f0b1-6cf8-5d0f-9a3a-0d5c7a1f6f0e")
"""Serial numbers are made of the document under this name space."""

Component = dict[str, Any]


def document(root: Path = ROOT) -> dict[str, Any]:
    """The bill of materials of a source tree."""
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    name, version = project["name"], project["version"]
    reference = f"pkg:pypi/{name}@{version}"
    components = {one["purl"]: one for one in (*_python(root), *_node(root))}
    made: dict[str, Any] = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": reference,
                "name": name,
                "version": version,
                "purl": reference,
                "licenses": [{"license": {"id": project["license"]}}],
            }
        },
        "components": [components[purl] for purl in sorted(components)],
    }
    text = json.dumps(made, sort_keys=True)
    return made | {"serialNumber": f"urn:uuid:{uuid.uuid5(SERIALS, text)}"}


def _component(purl: str, name: str, version: str, **more: Any) -> Component:
    return {
        "type": "library",
        "bom-ref": purl,
        "name": name,
        "version": version,
        "purl": purl,
        **more,
    }


def _python(root: Path) -> Iterator[Component]:
    """The packages of the lock, each with the environments it is for and its files' hashes."""
    text = (root / "requirements.lock").read_text("utf-8").replace("\\\n", " ")
    for line in text.splitlines():
        if not line or line.startswith((" ", "#")):
            continue
        wanted = Requirement(line.partition(" --hash=")[0].strip())
        (pin,) = wanted.specifier
        purl = f"pkg:pypi/{wanted.name.lower()}@{pin.version}"
        digests = [{"alg": "SHA-256", "content": digest} for digest in HASH.findall(line)]
        files = [{"type": "distribution", "url": purl, "hashes": [one]} for one in digests]
        more: dict[str, Any] = {"externalReferences": files}
        if wanted.marker is not None:
            more["properties"] = [{"name": MARKER, "value": str(wanted.marker)}]
        yield _component(purl, wanted.name, pin.version, **more)


def _node(root: Path) -> Iterator[Component]:
    """The packages of npm's lock that are no mere tools of development."""
    lock = json.loads((root / "package-lock.json").read_text("utf-8"))
    for place, one in lock["packages"].items():
        if not place or one.get("dev"):
            continue
        name, version = place.rpartition(PLACE)[2], one["version"]
        digest = base64.b64decode(one["integrity"].removeprefix("sha512-")).hex()
        yield _component(
            f"pkg:npm/{quote(name)}@{version}",
            name,
            version,
            hashes=[{"alg": "SHA-512", "content": digest}],
            **({"licenses": [{"expression": one["license"]}]} if "license" in one else {}),
        )


def main() -> int:
    """Write the document; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m scripts.lib.sbom", description=__doc__)
    parser.add_argument("file", type=Path, help="where to")
    target: Path = parser.parse_args().file
    target.write_text(json.dumps(document(), indent=1, sort_keys=True) + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
