"""Evidence: one window's verdict with all that it takes to reach it again, as one small file.

Its format is docs/spec/evidence.md.
"""
