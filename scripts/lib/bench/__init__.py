"""Figures that anyone can measure again: speed, learning, matches, and other frameworks."""
