"""The routes, a module for each part of the game."""

from __future__ import annotations

from fastapi import APIRouter

from backend.api.routes import beasts, disputes, live, states, status

ROUTERS: tuple[APIRouter, ...] = (
    status.router,
    beasts.router,
    disputes.router,
    states.router,
    live.router,
)
