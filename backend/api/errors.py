"""Errors as answers: one JSON shape, whatever went wrong."""

from __future__ import annotations

from http import HTTPStatus

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from backend.api.models import Problem
from backend.chain.errors import ChainError
from backend.store.session import DatabaseUnavailableError

log = structlog.get_logger()

RETRY_SECONDS = 5
"""When to ask again what cannot be answered now."""


class ApiError(Exception):
    """An answer that is an error.

    Args:
        error: a sentence about what is wrong.
        hint: what to do next.
        headers: of the answer, with ``_`` for ``-``.
    """

    def __init__(self, status: int, error: str, hint: str = "", **headers: str) -> None:
        super().__init__(error)
        self.status, self.error, self.hint, self.headers = status, error, hint, headers


def missing(what: str, where: str) -> ApiError:
    """The error for something that is not there.

    Args:
        what: such as ``beast 7``.
        where: what to do next.
    """
    return ApiError(404, f"There is no {what}.", where)


def problem(status: int, error: str, hint: str = "", **headers: str) -> Response:
    """An error as an answer."""
    sent = {"Cache-Control": "no-store"}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    return JSONResponse(Problem(error=error, hint=hint).model_dump(), status, sent)


def handle_errors(app: FastAPI) -> None:
    """Give every error of an app the one shape."""
    app.add_exception_handler(ApiError, _own)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(DatabaseUnavailableError, _database)
    app.add_exception_handler(ChainError, _node)
    app.add_exception_handler(Exception, _unexpected)


def _own(request: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)
    return problem(error.status, error.error, error.hint, **error.headers)


def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where = first["loc"][-1]
    text = f"{where} does not fit: {first['msg']}."
    return problem(422, text, "/openapi.json says what each parameter may be.")


def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 404:
        return problem(404, "There is nothing at this address.", "/openapi.json lists the routes.")
    headers = dict(error.headers or {})
    return problem(error.status_code, f"{HTTPStatus(error.status_code).phrase}.", "", **headers)


def _database(request: Request, error: Exception) -> Response:
    hint = "It is tried again by itself: ask again later."
    return problem(503, "The database does not answer.", hint, Retry_After=str(RETRY_SECONDS))


def _node(request: Request, error: Exception) -> Response:
    log.warning("the node did not answer a question", reason=str(error))
    hint = "What the index holds is still served: ask again later."
    return problem(503, "The node does not answer.", hint, Retry_After=str(RETRY_SECONDS))


def _unexpected(request: Request, error: Exception) -> Response:
    log.error("a request failed", path=request.url.path, error=type(error).__name__)
    return problem(500, "Something is wrong on this side.", "The server's log says more.")
