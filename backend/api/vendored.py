"""What the page takes of Node packages; a wheel brings these files along.

Imports nothing of ours, since a build reads it.
"""

from __future__ import annotations

from collections.abc import Mapping

VENDORED: Mapping[str, str] = {
    "uplot.js": "uplot/dist/uPlot.esm.js",
    "uplot.css": "uplot/dist/uPlot.min.css",
    "sha3.js": "@noble/hashes/sha3.js",
    "_u64.js": "@noble/hashes/_u64.js",
    "utils.js": "@noble/hashes/utils.js",
    "fzstd.js": "fzstd/esm/index.mjs",
}
"""Files of Node packages by the name that the page imports; sha3 imports `_u64` and `utils`."""

LICENCES = ("uplot/LICENSE", "@noble/hashes/LICENSE", "fzstd/LICENSE")
