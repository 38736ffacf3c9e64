"""What is done with each answer before its records are looked at: its character set, and the errors that it may be."""

from __future__ import annotations

from onefold.catalog.stream import Stream
from onefold.catalog.system import System
from onefold.connectors.charset import in_utf8
from onefold.connectors.error_rules import ErrorRules
from onefold.connectors.files.packed import unpack
from onefold.connectors.files.unfit import Unfit
from onefold.connectors.records import Body
from onefold.connectors.signs import beside_the_list, error_in
from onefold.foreign_text import shown_name
from onefold.http.attempt import BadBody, Response
from onefold.http.known_words import known_words

_GZIP = b"\x1f\x8b"
SPACE = 100
"""Bytes; an empty body may have a few ends of lines."""


class Answers:
    """The answers of one stream."""

    def __init__(self, named: str, system: System, stream: Stream) -> None:
        self._largest = system.limits.answer_mib << 20
        self._formatted = stream.format is not None
        self._encoding = stream.answer.encoding
        self._optional = stream.answer.optional
        self._rules = (
            ErrorRules(named, system.errors.in_answer, known_words(system)) if system.errors.in_answer else None
        )
        self._is_record = stream.answer.single and not stream.records

    def sound(self, response: Response) -> Response | None:
        """The answer in UTF-8; None where it says that there is nothing. Raises BadBody and Fatal where it says that it
        failed."""
        if self._formatted:
            return response
        if self._optional and response.size < SPACE and not response.body.strip():
            return None
        response = in_utf8(_unpacked(response, self._largest), self._encoding)
        return None if self._rules and self._rules.say_nothing(response.body) else response

    def around(self, response: Response, body: Body) -> Response:
        """The answer without what are fields of a record: where the body is the record, nothing stands beside it.

        Raises BadBody where it is an error instead."""
        if not self._is_record and not self._formatted:
            return response
        if self._is_record and any(record.key is None for record in body.records):
            name = error_in(beside_the_list(response.body, ()))
            if name:
                raise BadBody(f"status 200 with an error instead of a record: so says its {shown_name(name)}")
        return Response(response.status, response.headers, b"[]")


def _unpacked(response: Response, largest: int) -> Response:
    """The answer whose body is a packed file (.gz), as a body that is not. Raises BadBody where it is damaged."""
    response.file.seek(0)
    if response.file.read(2) != _GZIP:
        return response
    try:
        (found,) = (content.read() for _, content in unpack(response.file, "json", largest))
    except Unfit as error:
        raise BadBody(str(error)) from error
    return Response(response.status, response.headers, found)
