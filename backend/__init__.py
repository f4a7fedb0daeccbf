"""The shared platform: kernel, chain, store, indexer and command line.

Imports neither trainer nor validator.
"""

import importlib
import sys
from contextlib import suppress

from chainbeasts.backend.deferred import defer_http, defer_keyfile
from chainbeasts.backend.hashing import prefer_fast_keccak

RECURSION_LIMIT = 1_000

# eth-account brings py_ecc along, which lifts Python's limit to 100,000 when it is imported: then a
# few hundred kilobytes of "[[[[…" from a node or a peer end the process by a segmentation fault
# instead of an error. Imported first, it does so no more; what needs that depth, we do not use.
with suppress(ImportError):
    importlib.import_module("py_ecc")
sys.setrecursionlimit(RECURSION_LIMIT)
defer_keyfile()
defer_http()
prefer_fast_keccak()
