"""Figures of training runs: how they are counted, told, relayed, kept and drawn."""
