"""Daemons left alone behind bad nodes for a while, and what they grow by: ``scripts/soak``."""
