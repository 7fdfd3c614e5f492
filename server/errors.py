"""Everything the server says no with, and the one place where it is written down (RFC 9457, application/problem+json).

An error is a class: its name a sentence, its docstring the sentence a client reads, `status` and `code` fixed for ever.
Anything else that goes wrong is logged whole under an id, and the client is told only that id.
"""

from __future__ import annotations

import logging
import re
import secrets
from http import HTTPStatus
from typing import Any, ClassVar

import msgspec
from litestar import Request, Response
from litestar.exceptions import (
    HTTPException,
    MethodNotAllowedException,
    NotFoundException,
    ValidationException,
)
from litestar.types import ExceptionHandlersMap

from server.db import DATABASE_AWAY

logger = logging.getLogger(__name__)

PROBLEM_JSON = "application/problem+json"


class AppError(Exception):
    """The request could not be carried out."""

    status: ClassVar[int] = 400
    code: ClassVar[str] = "request.refused"
    headers: ClassVar[dict[str, str]] = {}

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail or (type(self).__doc__ or "").strip())


class NotAuthenticated(AppError):
    """Send a token of this event in the Authorization header, as `Bearer dn_…`; this one is missing, unknown or revoked."""

    status = 401
    code = "auth.required"
    headers: ClassVar[dict[str, str]] = {"WWW-Authenticate": "Bearer"}


class NotAllowed(AppError):
    """This token is valid but has no right to do that."""

    status = 403
    code = "auth.forbidden"


class UnknownEvent(AppError):
    """There is no such event."""

    status = 404
    code = "event.unknown"


class InvalidRequest(AppError):
    """The request's body or parameters are not what this path takes."""

    status = 422
    code = "request.invalid"


class UnreadableBody(AppError):
    """The body is not valid JSON in UTF-8."""

    status = 400
    code = "request.unreadable"


class TooManyRequests(AppError):
    """Too many such requests came in the last minute; wait and try again."""

    status = 429
    code = "request.too_many"
    headers: ClassVar[dict[str, str]] = {"Retry-After": "60"}


class Overloaded(AppError):
    """The server cannot answer in time. Decide locally, and send the same request again later."""

    status = 503
    code = "server.overloaded"
    headers: ClassVar[dict[str, str]] = {"Retry-After": "1"}


class Problem(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """RFC 9457's members and our `code`. `field` names the place in the request where a validation failed."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    field: str = ""
    error_id: str = ""


_PLACE = re.compile(r" - at (?:`key` in )?`\$")


def problem_of(error: AppError) -> Problem:
    """The wire form of one of our errors."""
    detail = str(error)
    field = ""
    if isinstance(error, InvalidRequest) and _PLACE.search(detail):
        # msgspec ends its messages with the place: "Expected `str`, got `int` - at `$.title.fr`".
        detail, place = _PLACE.split(detail, maxsplit=1)
        field = place.rstrip("`").removeprefix(".")
        detail = f"{detail} in `{field}`" if field else detail
    return Problem(
        type=f"urn:digitalnow:{error.code}",
        title=HTTPStatus(error.status).phrase,
        status=error.status,
        detail=detail,
        code=error.code,
        field=field,
    )


def from_framework(error: HTTPException) -> Problem:
    """The framework's own refusals (no such path, wrong method, wrong parameter) in our form."""
    codes = {404: "path.unknown", 405: "path.method_not_allowed", 413: "request.too_large", 401: "auth.required"}
    code = codes.get(error.status_code, "request.invalid")
    details = {
        404: "There is nothing at this path.",
        405: "This path does not take that method.",
        413: "The body is larger than this path takes; send less at a time.",
    }
    detail = details.get(error.status_code, error.detail)
    return Problem(
        type=f"urn:digitalnow:{code}",
        title=HTTPStatus(error.status_code).phrase,
        status=error.status_code,
        detail=detail,
        code=code,
    )


def _render(problem: Problem, headers: dict[str, str]) -> Response[bytes]:
    return Response(msgspec.json.encode(problem), status_code=problem.status, media_type=PROBLEM_JSON, headers=headers)


def _render_app_error(_request: Request[Any, Any, Any], error: AppError) -> Response[bytes]:
    return _render(problem_of(error), error.headers)


def _render_http_error(request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    if error.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return _render(unexpected_problem(request.method, request.url.path, error), {})
    return _render(from_framework(error), dict(error.headers or {}))


def _render_validation(_request: Request[Any, Any, Any], error: ValidationException) -> Response[bytes]:
    first: Any = error.extra[0] if isinstance(error.extra, list) and error.extra else {}
    message, key = str(first.get("message", error.detail)), str(first.get("key", ""))
    problem = problem_of(InvalidRequest(f"{message} in `{key}`" if key else message))
    return _render(msgspec.structs.replace(problem, field=key or problem.field), {})


def unexpected_problem(method: str, path: str, error: BaseException) -> Problem:
    """Logs an error nobody foresaw, whole, and returns what its victim may know: the id under which to find it."""
    error_id = secrets.token_hex(8)
    logger.error("unexpected error %s at %s %s", error_id, method, path, exc_info=error)
    return Problem(
        type="urn:digitalnow:server.error",
        title="Internal Server Error",
        status=500,
        detail="Something went wrong on our side. Name the id when you report it.",
        code="server.error",
        error_id=error_id,
    )


def last_resort(method: str, path: str, error: Exception) -> tuple[Problem, dict[str, str]]:
    """The answer, with its headers, to what nobody else has answered: a database that is away, or a mistake of ours."""
    if isinstance(error, DATABASE_AWAY):
        logger.warning("the database is away at %s %s (%r)", method, path, error)
        return problem_of(Overloaded()), Overloaded.headers
    return unexpected_problem(method, path, error), {}


def _render_unexpected(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    return _render(*last_resort(request.method, request.url.path, error))


EXCEPTION_HANDLERS: ExceptionHandlersMap = {
    AppError: _render_app_error,
    ValidationException: _render_validation,
    NotFoundException: _render_http_error,
    MethodNotAllowedException: _render_http_error,
    HTTPException: _render_http_error,
    Exception: _render_unexpected,
}
