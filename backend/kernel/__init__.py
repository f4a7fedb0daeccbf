"""The consensus kernel in NumPy: the reference that docs/spec describes.

Pure: no clock, no randomness, no I/O beyond its own tables, no floats. Imports nothing but NumPy
and keccak.
"""
