"""What an answer to a query says: its data, or its errors by what to do about them.

Errors come with status 200 and with 400; `data` may stand beside them, with null where something failed: such an answer
is never taken for the whole. Sources: GraphQL specification (October 2021), 7.1; "GraphQL over HTTP" (draft); the codes
that Apollo Server, Shopify, GitHub (as `type`) and Hasura document.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from onefold.connectors.graphql.parts import OtherShape, members
from onefold.connectors.records import sound_text
from onefold.foreign_text import described, shown_name
from onefold.http.attempt import BadBody, Later, Response
from onefold.http.client import Client
from onefold.http.failure import QuotaExhausted, Refused, Unauthorized, refusal
from onefold.http.known_words import known_words

Raws = dict[str, bytes]

_LATER = frozenset({"429", "RATE_LIMITED", "RATE_LIMIT_EXCEEDED", "THROTTLED", "TOO_MANY_REQUESTS"})
_AGAIN = frozenset(
    {"500", "502", "503", "504", "DOWNSTREAM_SERVICE_ERROR", "GATEWAY_TIMEOUT", "INTERNAL_ERROR"}
    | {"INTERNAL_SERVER_ERROR", "SERVICE_UNAVAILABLE", "SUBREQUEST_HTTP_ERROR", "TIMEOUT", "UNEXPECTED"}
)
_SIGN_IN = frozenset({"401", "INVALID_JWT", "UNAUTHENTICATED", "UNAUTHORIZED"})
_NOT_ALLOWED = frozenset({"403", "ACCESS_DENIED", "FORBIDDEN"})


class _Code(msgspec.Struct):
    code: str | int | float | None = None


class _Error(msgspec.Struct):
    message: str = ""
    type: str = ""
    path: list[str | int | float] | None = None
    extensions: _Code | None = None

    @property
    def stated(self) -> str:
        """The code as the server writes it."""
        code = self.extensions.code if self.extensions else None
        return str(self.type if code is None else code)

    @property
    def code(self) -> str:
        """In capitals, with underscores: servers write rate-limited too."""
        return self.stated.upper().replace("-", "_")


_ERRORS = msgspec.json.Decoder(list[_Error])


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer. `extensions` is what the server says beside it, as its price; b"null" when nothing."""

    data: Raws | None
    errors: list[_Error]
    extensions: bytes

    @property
    def codes(self) -> frozenset[str]:
        return frozenset(error.code for error in self.errors)

    @property
    def is_throttled(self) -> bool:
        """Whether it says that we ask too much."""
        return bool(self.codes & _LATER)


def answer_of(response: Response) -> Answer:
    """Raises BadBody when this is no answer to a query."""
    body = sound_text(response)
    try:
        found = members(body)
        data = found.get("data", b"null")
        errors = _ERRORS.decode(found["errors"]) if found.get("errors", b"null") != b"null" else []
        raws = None if data == b"null" else members(data)
    except OtherShape as error:
        raise BadBody("no answer to a query, or one that is cut off") from error
    except msgspec.DecodeError as error:
        raise BadBody("errors that are no list of errors") from error
    if raws is None and not errors:
        raise BadBody("neither data nor errors")
    return Answer(raws, errors, found.get("extensions", b"null"))


def require_no_errors(answer: Answer, named: str, http: Client, seconds: float | None) -> Raws:
    """The answer's data. `seconds` are to be waited where it says that we ask too much.

    Raises Later then, Unauthorized when our sign-in is not accepted, BadBody when something failed that may not fail
    again, Refused for a query that the source does not accept.
    """
    if not answer.errors and answer.data is not None:
        return answer.data
    codes = answer.codes
    texts = [text for error in answer.errors for text in (error.stated, error.message) if text]
    said = described("; ".join(texts), known_words(http.system)) or "no code"
    if answer.is_throttled:
        raise Later(min(codes & _LATER), seconds)
    if codes & _SIGN_IN:
        raise Unauthorized(said, 401)
    if codes & _AGAIN:
        raise BadBody(f"the error {min(codes & _AGAIN)}")
    if answer.data is not None and not codes & _NOT_ALLOWED:
        raise BadBody(f"data with errors beside it{_places(answer.errors)} ({said}): a part of it is missing")
    raise refused_query(named, said, 403 if codes & _NOT_ALLOWED else 400)


def refused_query(named: str, said: str, status: int = 400) -> Refused:
    """What is raised for a query that the source does not accept."""
    return Refused(
        f"{named}: the query was refused ({said}). Compare the stream's fields and request with the source's schema, "
        "its rights with those of the connection, and next.size with what a query may cost.",
        status,
    )


def require_an_answer(response: Response, http: Client, path: str) -> None:
    """A refusal with status 400 may be an answer to the query. Raises Refused when it is none, Later or QuotaExhausted
    when it has a text that `errors` of the system's YAML names."""
    body, errors = response.body, http.system.errors
    if any(text.encode() in body for text in errors.quota_exhausted):
        raise QuotaExhausted(
            f"POST {path} was refused with status {response.status}: our quota is used up there. Run it later."
        )
    if any(text.encode() in body for text in errors.retry):
        raise Later("an error that errors.retry in its YAML names", None)
    try:
        answer_of(response)
    except BadBody as error:
        said = described(body, known_words(http.system))
        raise refusal(f"POST {path}", response.status, said, http.system.connection) from error


def _places(errors: list[_Error]) -> str:
    """Where something failed, without the numbers of records."""
    paths = (".".join(shown_name(step) for step in error.path or () if isinstance(step, str)) for error in errors)
    found = sorted(set(filter(None, paths)))[:3]
    return f" at {', '.join(found)}" if found else ""
