"""ChainBeasts for Python programs: the names in this package's modules stay; all others may move.

``client`` reads a deployment, ``kernel`` computes micro-steps and fights, ``datasets`` are battle
records, ``pipeline`` trains on them, ``metrics`` tells how that goes. docs/guides/python.md shows
each; what is not exported here belongs to the program ``chainbeasts``.
"""
