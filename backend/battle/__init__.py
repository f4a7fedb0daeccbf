"""Matches: who fights, what happened and why, tournaments off chain, records on it, ratings.

Stands on the indexer, beside trainer, validator and API, which may use it.
"""
