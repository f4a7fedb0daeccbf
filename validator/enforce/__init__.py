"""Enforcing: what is done about a verdict. Files, proves, collects; the only part that sends."""
