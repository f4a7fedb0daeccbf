"""The shared platform: kernel, chain, store, indexer and command line.

Imports neither trainer nor validator.
"""
