"""What Slither finds is held against the page that answers it."""

from __future__ import annotations

from scripts.lib.slither import ANSWERS, Finding, compare, read_answers, read_findings

PAGE = """
| detector | where | answer |
|---|---|---|
| `unused-return` | `Ledger.stake`, `Court.file` | One of two is wanted. |
| `assembly` | everywhere | Meant. |
"""


def element(name: str, parent: str) -> dict[str, object]:
    of = {"type": "contract", "name": parent, "type_specific_fields": {}}
    return {"name": name, "type": "function", "type_specific_fields": {"parent": of}}


def test_findings_and_answers_are_compared_both_ways() -> None:
    detectors = [
        {"check": "unused-return", "elements": [element("stake", "Ledger")]},
        {"check": "unused-return", "elements": [element("dismiss", "Court")]},
        {"check": "assembly", "elements": [element("run", "Kernel")]},
    ]
    found = read_findings({"results": {"detectors": detectors}})
    unanswered, stale = compare(found, read_answers(PAGE))
    assert unanswered == [Finding("unused-return", "Court.dismiss")]
    assert stale == [Finding("unused-return", "Court.file")]
    assert compare((), read_answers(PAGE))[1] == sorted(read_answers(PAGE))


def test_the_page_answers_each_detector_for_places_of_their_own() -> None:
    rows = [line for line in ANSWERS.read_text("utf-8").splitlines() if line.startswith("| `")]
    assert len(rows) == len([row for row in rows if read_answers(row)])
