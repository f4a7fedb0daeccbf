"""Hatching a beast: the request on disk, then two transactions."""
