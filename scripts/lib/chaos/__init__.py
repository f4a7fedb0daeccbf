"""Everybody at once on a chain that misbehaves, then an audit.

A seed fixes what happens and when: reorgs, restarts, bad answers, kills. Afterwards everything is
judged by the chain alone.
"""
