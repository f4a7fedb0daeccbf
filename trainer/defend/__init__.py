"""Defending submitted checkpoints: answers to disputes, in time."""
