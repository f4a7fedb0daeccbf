"""The pictures of the page in the documents."""

from __future__ import annotations

from scripts.lib.screenshots import IMAGES, used

MOST_BYTES = 2_000_000


def test_each_picture_is_shown_somewhere_and_each_that_is_shown_is_there() -> None:
    assert {path.name for path in IMAGES.glob("page-*.png")} == used()
    assert used()


def test_the_pictures_are_small() -> None:
    assert sum(path.stat().st_size for path in IMAGES.iterdir()) < MOST_BYTES
