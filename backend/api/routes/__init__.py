"""The routes, a module for each part of the game."""

from __future__ import annotations

from fastapi import APIRouter

from chainbeasts.backend.api.routes import (
    accounts,
    activity,
    battles,
    beasts,
    cases,
    contracts,
    disputes,
    energy,
    live,
    seasons,
    states,
    status,
)

ROUTERS: tuple[APIRouter, ...] = (
    status.router,
    activity.router,
    contracts.router,
    beasts.router,
    accounts.router,
    disputes.router,
    cases.router,
    battles.router,
    seasons.router,
    energy.router,
    states.router,
    live.router,
)
