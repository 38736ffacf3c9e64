"""A draft from a database: every table and view with a key is a stream."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine.interfaces import ReflectedColumn

from onefold.draft.model import Draft, DraftStream, Fields, Value, field_of, guessed_cursor, guessed_keys, stream_name
from onefold.errors import Fatal

_ROW_VERSIONS = ("wersja", "version", "rowversion", "row_version", "rv", "xmin")
_DELETED = ("usuniety", "usuniete", "deleted", "is_deleted", "skasowany")


def database_draft(url: str) -> Draft:
    """Raises Fatal when the URL is none, or the database cannot be reached or has no tables.

    The URL, which may hold a password, gets into no message and no draft.
    """
    try:
        engine = sa.create_engine(url, hide_parameters=True)
    except (sa.exc.ArgumentError, sa.exc.NoSuchModuleError, ValueError):
        raise Fatal(
            "LOCATION is no database URL; write postgresql+psycopg://user@host/database or mysql+pymysql://…"
        ) from None
    try:
        with engine.connect() as connection:
            found = sa.inspect(connection)
            names = [(name, False) for name in found.get_table_names()] + [(n, True) for n in found.get_view_names()]
            streams = [
                _stream(name, found.get_columns(name), found.get_pk_constraint(name)["constrained_columns"], view=view)
                for name, view in sorted(names)
            ]
    except sa.exc.SQLAlchemyError as error:
        kind = type(error).__name__
        raise Fatal(f"the database cannot be read: {kind}. Check host, user, password and rights.") from None
    finally:
        engine.dispose()
    if not streams:
        raise Fatal("the database has no tables or views that this user may see; check the user's rights")
    return Draft("sql", f"{engine.dialect.name} database", streams)


def _stream(name: str, columns: list[ReflectedColumn], key: list[str], *, view: bool) -> DraftStream:
    fields: Fields = {column["name"]: _field(column) for column in columns}
    doubts = [] if key else ["primary_key is a guess: the table declares none"]
    cursor: dict[str, Value] = {}
    version = next((each for each in fields if each.lower() in _ROW_VERSIONS), None)
    if stamp := guessed_cursor(fields, ("timestamp",)):
        cursor = {"fields": [stamp]}
    elif version and fields[version].get("type") == "integer":
        cursor = {"fields": [version], "kind": "integer"}
    else:
        doubts.append("no column says what changed, so each load reads everything")
    mark = next((each for each in fields if each.lower() in _DELETED and fields[each].get("type") == "boolean"), None)
    return DraftStream(
        name=stream_name(name),
        title=f"{'View' if view else 'Table'} {name}",
        fields=fields,
        keys=key or guessed_keys(fields),
        request={"table": name},
        cursor=cursor,
        after={"deletes": {"flag": {"field": mark}}} if mark else {},
        doubts=tuple(doubts),
    )


def _field(column: ReflectedColumn) -> dict[str, Value]:
    """A column always comes with a row, NULL or not: none is optional."""
    return field_of(column["name"], _kind(column["type"]), required=True)


def _kind(kind: sa.types.TypeEngine[object]) -> str:
    match kind:
        case sa.types.Boolean():
            return "boolean"
        case sa.types.Integer():
            return "integer"
        case sa.types.Numeric():
            return "numeric"
        case sa.types.DateTime():
            return "timestamp"
        case sa.types.Date():
            return "date"
        case sa.types.JSON() | sa.types.ARRAY():
            return "json"
        case _:
            return "text"
