"""What a request for a stream says, and what is answered to it. Pure."""

from __future__ import annotations

import random
from http import HTTPStatus
from urllib.parse import unquote

import msgspec

from server.feed.types import PUBLIC_CHANNELS
from server.live.conversation import VerifyTicket, admit
from server.live.protocol import MAX_CHANNELS, Close, Wanted
from server.live.session import Closing, Session
from server.live.stream import Asked, Refusal
from server.live.ticket import Pass

FOREIGN_ORIGIN = "Web pages of this origin may not open the feed."
MAX_POSITION = 4096
_STATUS = {
    Close.TICKET_EXPIRED: HTTPStatus.UNAUTHORIZED,
    Close.FORBIDDEN: HTTPStatus.UNAUTHORIZED,
    Close.REVOKED: HTTPStatus.UNAUTHORIZED,
    Close.RATE_LIMITED: HTTPStatus.TOO_MANY_REQUESTS,
}


def channels_of(asked: Asked) -> list[Wanted]:
    """The channels of `?channels=`, else the public logs, each from where `Last-Event-ID` says. Raises `Refusal`."""
    names = [unquote(name) for name in asked.query.get("channels", ",".join(PUBLIC_CHANNELS)).split(",")]
    places = _positions(asked.headers.get("last-event-id") or asked.query.get("last_event_id", ""))
    wanted = [{"name": name, **places.get(name, {})} for name in dict.fromkeys(names)]
    if len(wanted) > MAX_CHANNELS:
        raise Refusal(HTTPStatus.BAD_REQUEST, f"A stream carries at most {MAX_CHANNELS} channels.")
    try:
        return msgspec.convert(wanted, list[Wanted])
    except msgspec.ValidationError as error:
        raise Refusal(HTTPStatus.BAD_REQUEST, f"`channels` names something that is no channel: {error}.") from None


def _positions(last_event_id: str) -> dict[str, dict[str, object]]:
    """`announcements=EPOCH:SEQ,schedule=EPOCH:SEQ`, as it stands in a stream's ids. Raises `Refusal`."""
    found: dict[str, dict[str, object]] = {}
    for part in last_event_id[:MAX_POSITION].split(",") if last_event_id else ():
        name, _, place = part.partition("=")
        epoch, _, seq = place.rpartition(":")
        if not epoch or not seq.isascii() or not seq.isdigit():
            raise Refusal(HTTPStatus.BAD_REQUEST, "`Last-Event-ID` is not one of this stream's ids.")
        found[unquote(name)] = {"epoch": epoch, "seq": int(seq)}
    return found


def ticket_of(session: Session, asked: Asked, verify: VerifyTicket) -> Pass | None:
    """The ticket in the Authorization header, if there is one. Raises `Closing`."""
    scheme, _, ticket = asked.headers.get("authorization", "").partition(" ")
    if not scheme:
        return None
    if scheme.lower() != "bearer":
        raise Closing(Close.FORBIDDEN)
    return admit(session, ticket.strip(), verify)


def refusal_for(error: BaseException) -> Refusal:
    """What is answered to somebody who could not be let in."""
    if not isinstance(error, Closing) or error.code not in _STATUS:
        return Refusal(HTTPStatus.SERVICE_UNAVAILABLE, "The feed cannot be opened now; come back.", Retry_After="2")
    status = _STATUS[error.code]
    if status is HTTPStatus.TOO_MANY_REQUESTS:
        return Refusal(status, "This token opens connections too often.", Retry_After=str(random.randint(30, 60)))  # noqa: S311
    text = f"The ticket is not good ({error}): ask for a new one at /v1/events/{{event}}/live/ticket."
    return Refusal(status, text, WWW_Authenticate="Bearer")


def allowing(asked: Asked) -> dict[str, str]:
    """The headers by which a browser lets a page of another origin read the stream."""
    origin = asked.headers.get("origin")
    return {} if origin is None else {"Access_Control_Allow_Origin": origin, "Vary": "Origin"}


def preflight(asked: Asked, allowed: bool) -> Refusal:  # noqa: FBT001 - the answer's one condition
    """What a browser is told that asks whether a page may send its ticket along."""
    if not allowed:
        return Refusal(HTTPStatus.FORBIDDEN, FOREIGN_ORIGIN)
    return Refusal(
        HTTPStatus.NO_CONTENT,
        "",
        **allowing(asked),
        Access_Control_Allow_Methods="GET",
        Access_Control_Allow_Headers="Authorization, Last-Event-ID",
        Access_Control_Max_Age="600",
    )
