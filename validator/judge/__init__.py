"""Judging: what is true. Replays windows and matches and records verdicts; sends nothing."""
