"""The specification's own statements: its drawings, its ids, and what it refers to exists."""

from __future__ import annotations

import re
from pathlib import Path

from chainbeasts.backend.kernel.rules import Rules, Schedule
from chainbeasts.backend.kernel.tables import KERNEL_ID, TEMPLATES
from chainbeasts.backend.kernel.vector_fields import camel

ROOT = Path(__file__).parents[2]
SPEC = ROOT / "docs" / "spec"
PAGES = {path.name: path.read_text("utf-8") for path in SPEC.glob("*.md")}
CONTRACT_PAGES = ("protocol.md", "arena.md", "energy.md")
CODE = [
    path
    for folder in ("backend", "trainer", "validator", "contracts", "migrations")
    for path in sorted((ROOT / folder).rglob("*"))
    if path.suffix in (".py", ".sol")
]


def drawn_templates() -> list[tuple[int, int]]:
    """(walls, hazards) of the drawings in samples.md, four boards side by side."""
    rows = [re.findall(r"[.#~](?: [.#~]){7}", line) for line in PAGES["samples.md"].splitlines()]
    rows = [row for row in rows if len(row) == 4]
    assert len(rows) == 16
    found = []
    for block in (rows[:8], rows[8:]):
        for board in range(4):
            tiles = "".join(row[board].replace(" ", "") for row in block)
            walls = sum(1 << i for i, tile in enumerate(tiles) if tile == "#")
            found.append((walls, sum(1 << i for i, tile in enumerate(tiles) if tile == "~")))
    return found


def test_drawn_templates_are_the_tables() -> None:
    assert drawn_templates() == list(TEMPLATES[:8])


def test_numbers_under_the_drawings_are_the_tables() -> None:
    lines = PAGES["samples.md"].splitlines()
    numbers = [line.split() for line in lines if re.fullmatch(r"(\s+0(x[0-9a-f]{16})?){4}", line)]
    assert len(numbers) == 4
    walls, hazards = numbers[0] + numbers[2], numbers[1] + numbers[3]
    drawn = [(int(w, 16), int(h, 16)) for w, h in zip(walls, hazards, strict=True)]
    assert drawn == list(TEMPLATES[:8])


def test_kernel_id_is_this_kernels() -> None:
    assert f"0x{KERNEL_ID.hex()}" in PAGES["state.md"]


def test_defaults_of_a_season_are_the_codes() -> None:
    """Each constant stands in rules.md with its default."""
    for season in (Rules(), Schedule()):
        for name, value in zip(season.__slots__, season.values(), strict=True):
            row = f"| `{camel(name)}` | {value} |"
            assert row in PAGES["rules.md"], row


def said_range(page: str) -> tuple[int, int]:
    """The first invariants that a page says it has, such as **P1** to **P36**."""
    found = re.search(r"\*{0,2}P(\d+)\*{0,2}\s+to\s+\*{0,2}P(\d+)\b", PAGES[page])
    assert found is not None, page
    return int(found[1]), int(found[2])


def test_invariants_of_the_contracts_are_those_of_their_pages() -> None:
    """Numbered through the pages without a gap, and each one above its guard in the code."""
    source = "".join(path.read_text("utf-8") for path in CODE if path.suffix == ".sol")
    listed = []
    for page in CONTRACT_PAGES:
        rows = [int(n) for n in re.findall(r"^\| P(\d+) \|", PAGES[page], re.MULTILINE)]
        assert said_range(page) == (rows[0], rows[-1]), page
        listed += rows
    assert listed == list(range(1, len(listed) + 1))
    assert said_range("README.md") == (1, len(listed))
    assert {int(n) for n in re.findall(r"INVARIANT P(\d+)\b", source)} == set(listed)


def test_invariants_of_the_kernel_are_numbered() -> None:
    listed = re.findall(r"^\| (K\d+) \|", PAGES["README.md"], re.MULTILINE)
    assert listed == [f"K{n}" for n in range(1, 17)]


def test_tests_that_hold_invariants_exist() -> None:
    """Files of README.md's list; files and functions of the contracts' pages."""
    tests = ROOT / "tests"
    for name in re.findall(r"`([\w/]*test_\w+\.py)`", PAGES["README.md"]):
        assert (tests / (name if "/" in name else f"kernel/{name}")).is_file(), name
    text = "".join(PAGES[page] for page in CONTRACT_PAGES)
    for name, function in re.findall(r"`(test_\w+\.py)::(\w+)`", text):
        path = tests / "contracts" / name
        assert f"def {function}(" in path.read_text("utf-8"), (name, function)


def test_links_between_pages_lead_somewhere() -> None:
    for name, text in PAGES.items():
        for target in re.findall(r"\]\(([^)#]+)\)", text):
            assert (SPEC / target).exists(), (name, target)


def test_sections_that_code_refers_to_exist() -> None:
    """`docs/spec/rules.md §2` in Python, `docs/spec, rules §2` in Solidity."""
    seen = 0
    for path in CODE:
        text = path.read_text("utf-8")
        for page, section in re.findall(r"docs/spec(?:/|, )(\w+)(?:\.md)?(?: §(\d+))?", text):
            seen += 1
            assert f"{page}.md" in PAGES, (path, page)
            if section:
                assert f"\n## {section} " in PAGES[f"{page}.md"], (path, page, section)
    assert seen > 30
