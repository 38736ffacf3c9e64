"""A draft from any kind of description."""

from __future__ import annotations

from collections.abc import Callable

from onefold.draft.model import Draft
from onefold.draft.origin import Origin, from_variable, origin
from onefold.http.endpoint import Endpoint


def drafted(kind: str, location: str, endpoint: Endpoint | None = None) -> tuple[Draft, str]:
    """The draft from what is at the location, and what the location is called in it.

    `endpoint` is how a database or a web address lets us in. Raises Fatal when the description is not there or is none.
    """
    if kind == "database":
        from onefold.draft.database import database_draft

        return database_draft(from_variable(location), endpoint), "a database"
    found = origin(location, endpoint)
    return _READERS[kind](found), found.shown


def _openapi(found: Origin) -> Draft:
    from onefold.draft.openapi.draft import openapi_draft

    return openapi_draft(found.text(), found.text_beside)


def _graphql(found: Origin) -> Draft:
    from onefold.draft.graphql.endpoint import schema_at

    return schema_at(found)


def _edmx(found: Origin) -> Draft:
    from onefold.draft.edmx.draft import edmx_draft

    return edmx_draft(found.content())


def _wsdl(found: Origin) -> Draft:
    from onefold.draft.wsdl import wsdl_draft

    return wsdl_draft(found)


def _csv(found: Origin) -> Draft:
    from onefold.draft.csv_file import csv_draft

    return csv_draft(found.content(), found.shown, found.stem)


def _xlsx(found: Origin) -> Draft:
    from onefold.draft.xlsx_file import xlsx_draft

    return xlsx_draft(found.content(), found.shown, found.stem)


def _json(found: Origin) -> Draft:
    from onefold.draft.json_file import json_draft

    return json_draft(found)


_READERS: dict[str, Callable[[Origin], Draft]] = {
    "openapi": _openapi, "graphql": _graphql, "edmx": _edmx, "wsdl": _wsdl, "csv": _csv, "xlsx": _xlsx, "json": _json,
}  # fmt: skip
