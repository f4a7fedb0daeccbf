"""The kernel compiled: C for one graph, and how Python calls it.

Bit-identical to the NumPy reference. Compiling and keeping objects is `backend.graph_cache`'s.
"""
