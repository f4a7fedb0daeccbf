"""Putting trained windows on chain, and making them final."""
