"""Which nodes run on this machine."""

from __future__ import annotations

from urllib.parse import urlsplit

LOCAL_HOSTS = ("127.0.0.1", "localhost", "::1")


def is_loopback(url: str) -> bool:
    """Whether an endpoint is on this machine."""
    return urlsplit(url).hostname in LOCAL_HOSTS
