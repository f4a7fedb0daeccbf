"""Errors as answers: problem documents (RFC 9457), whatever went wrong."""

from __future__ import annotations

from collections.abc import Mapping

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from chainbeasts.backend.api.models import Problem, ProblemCode
from chainbeasts.backend.chain.errors import ChainError
from chainbeasts.backend.store.session import DatabaseUnavailableError

log = structlog.get_logger()

PROBLEM = "application/problem+json"
RETRY_SECONDS = 5
"""When to ask again what cannot be answered now."""

PROBLEMS: Mapping[ProblemCode, tuple[int, str]] = {
    "not_found": (404, "It is not there"),
    "no_such_address": (404, "No such address"),
    "method_not_allowed": (405, "Only GET and HEAD"),
    "body_not_allowed": (413, "No route takes a body"),
    "address_too_long": (414, "The address is too long"),
    "unknown_host": (421, "Not known by that name"),
    "invalid_parameter": (422, "A parameter does not fit"),
    "too_many_requests": (429, "Too many requests"),
    "internal_error": (500, "Something is wrong on this side"),
    "database_unavailable": (503, "The database is away"),
    "node_unavailable": (503, "The node is away"),
    "place_unavailable": (503, "A place of snapshots is away"),
}
"""Status and title of each code. Codes stay what they are; sentences may be worded anew."""


class ApiError(Exception):
    """An answer that is an error.

    Args:
        detail: a sentence about what is wrong.
        hint: what to do next.
        headers: of the answer, with ``_`` for ``-``.
    """

    def __init__(self, code: ProblemCode, detail: str, hint: str = "", **headers: str) -> None:
        super().__init__(detail)
        self.code, self.detail, self.hint, self.headers = code, detail, hint, headers


def missing(what: str, where: str) -> ApiError:
    """The error for something that is not there.

    Args:
        what: such as ``beast 7``.
        where: what to do next.
    """
    return ApiError("not_found", f"There is no {what}.", where)


def problem(code: ProblemCode, detail: str, hint: str = "", **headers: str) -> Response:
    """An error as an answer."""
    sent = {"Cache-Control": "no-store"}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    status, title = PROBLEMS[code]
    said = Problem(
        type=f"urn:chainbeasts:problem:{code}",
        title=title,
        status=status,
        detail=detail,
        code=code,
        hint=hint,
    )
    return Response(said.model_dump_json(), status, sent, PROBLEM)


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
    return problem(error.code, error.detail, error.hint, **error.headers)


def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where = first["loc"][-1]
    text = f"{where} does not fit: {first['msg']}."
    return problem("invalid_parameter", text, "/openapi.json says what each parameter may be.")


def _http(request: Request, error: Exception) -> Response:
    """What the router itself refuses: the guard lets nothing else through to it than addresses."""
    return problem(
        "no_such_address", "There is nothing at this address.", "/openapi.json lists the routes."
    )


def _database(request: Request, error: Exception) -> Response:
    hint = "It is tried again by itself: ask again later."
    retry = str(RETRY_SECONDS)
    return problem("database_unavailable", "The database does not answer.", hint, Retry_After=retry)


def _node(request: Request, error: Exception) -> Response:
    log.warning("the node did not answer a question", reason=str(error))
    hint = "What the index holds is still served: ask again later."
    retry = str(RETRY_SECONDS)
    return problem("node_unavailable", "The node does not answer.", hint, Retry_After=retry)


def _unexpected(request: Request, error: Exception) -> Response:
    log.error("a request failed", path=request.url.path, error=type(error).__name__)
    hint = "The server's log says more."
    return problem("internal_error", "Something is wrong on this side.", hint)
