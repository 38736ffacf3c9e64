"""A draft from a database: every table, view and materialized view is a stream, those of other schemas too."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.engine.interfaces import ReflectedColumn

from onefold.connectors.sql.database import DIALECTS, dialect_of
from onefold.draft.database_types import field_type, has_no_zone, is_flag
from onefold.draft.guesses import guessed_cursor, guessed_keys
from onefold.draft.model import Draft, DraftStream, Mark, Value
from onefold.draft.names import Given, fields_of, stream_name
from onefold.errors import Fatal
from onefold.http.endpoint import Endpoint

if TYPE_CHECKING:
    from sqlalchemy.engine.reflection import Inspector

_ROW_VERSIONS = ("wersja", "version", "rowversion", "row_version", "rv")
_DELETED = ("usuniety", "usuniete", "usunieto", "deleted", "is_deleted", "isdeleted", "skasowany")
_OF_THE_SERVER = re.compile(r"^((?i:information_schema|sys|system|guest)|pg_.*|mysql|performance_schema|db_.*)$")
_SCHEMES = {module: scheme for scheme, (module, _) in DIALECTS.items()} | {"mariadb": "mysql"}
"""Airflow's type of connection by the name of a database in SQLAlchemy."""
_HOW = "write postgresql://user@host/database, or mysql://, mssql:// or oracle:// in its place"
_PARTITIONS = """
select n.nspname, c.relname, p.relname, c.relispartition
from pg_inherits i join pg_class c on c.oid = i.inhrelid join pg_namespace n on n.oid = c.relnamespace
join pg_class p on p.oid = i.inhparent
"""
_ARRAYS = """
select n.nspname, c.relname, a.attname
from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
join pg_type t on t.oid = a.atttypid where t.typcategory = 'A' and a.attnum > 0
"""
_HAVE_MATERIALIZED_VIEWS = ("postgresql", "oracle")
"""The others have none (MySQL, MariaDB), or show them as views (SQL Server), and SQLAlchemy cannot list any there."""
_DOCUMENT = re.compile(r"json_valid\(`([^`]+)`\)", re.IGNORECASE)
"""How MariaDB keeps JSON: as text with a check that it is."""


@dataclass(frozen=True, slots=True)
class _Relation:
    """A table or view; `schema` is None in the schema that a name without one means. `parent` is the table that shows
    its rows too."""

    name: str
    kind: str
    schema: str | None
    parent: str | None = None

    @property
    def table(self) -> str:
        return f"{self.schema}.{self.name}" if self.schema else self.name


def database_draft(location: str, endpoint: Endpoint | None = None) -> Draft:
    """Raises Fatal when the URL is none, its driver is not installed, or the database cannot be read or has no tables.

    The URL, which may hold a password, gets into no message and no draft. `endpoint`, an Airflow connection's, goes in
    its place.
    """
    engine = _engine(location, endpoint)
    try:
        with engine.connect() as connection, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of types that SQLAlchemy does not know: they are text
            found = sa.inspect(connection)
            relations, left_out = _relations(found, connection)
            arrays = _arrays(found, connection)
            streams: list[DraftStream] = []
            zoneless: list[str] = []
            for each in relations:
                columns = found.get_columns(each.name, schema=each.schema)
                if not columns:
                    left_out.append(f"{each.table}: the login may see none of its columns")
                    continue
                streams.append(
                    _stream(found, each, columns, arrays.get(each.table, set()) | _documents(connection, each))
                )
                zoneless += [f"{each.table}.{column['name']}" for column in columns if has_no_zone(column["type"])]
    except sa.exc.SQLAlchemyError as error:
        kind = type(error).__name__
        raise Fatal(f"the database cannot be read: {kind}. Check host, user, password and rights.") from None
    finally:
        engine.dispose()
    if not streams:
        raise Fatal("the database has no tables or views that this user may see; check the user's rights")
    kind = _SCHEMES.get(engine.dialect.name, engine.dialect.name)
    marks = [Mark("connection", f"of Airflow's type {kind}, with the database as schema")]
    more: dict[str, Value] = {}
    if zoneless:
        more["timezone"] = "UTC"
        shown = ", ".join(zoneless[:3]) + (f" and {len(zoneless) - 3} more" if len(zoneless) > 3 else "")
        marks.append(Mark("timezone", f"the zone of {shown}, which are stored without one"))
    return Draft("sql", f"{engine.dialect.name} database", streams, {}, more, tuple(marks), tuple(left_out))


def _engine(location: str, endpoint: Endpoint | None) -> sa.Engine:
    try:
        url = sa.make_url(endpoint.url if endpoint else location)
        if endpoint:
            url = url.set(username=endpoint.login, password=endpoint.password)
        scheme = _SCHEMES.get(url.drivername, url.drivername)
        dialect = dialect_of(scheme) if scheme in DIALECTS else None
        if dialect:
            url = dialect.address(url.set(drivername=dialect.driver))
        return sa.create_engine(url, hide_parameters=True)
    except (sa.exc.ArgumentError, sa.exc.NoSuchModuleError, ValueError):
        raise Fatal(f"LOCATION is no database URL; {_HOW}") from None
    except ImportError as error:
        raise Fatal(
            f"the driver that this URL wants ({error.name}) is not installed here, and Onefold reads by its own: {_HOW}"
        ) from None


def _relations(found: Inspector, connection: sa.Connection) -> tuple[list[_Relation], list[str]]:
    """What may be read, and what is left out with the reason."""
    usual = found.default_schema_name
    left_out: list[str] = []
    relations: list[_Relation] = []
    postgresql = _is_postgresql(connection)
    parents: dict[tuple[str, str], tuple[str, bool]] = {}
    for schema, name, parent, partition in connection.execute(sa.text(_PARTITIONS)) if postgresql else ():
        parents[str(schema), str(name)] = (str(parent), bool(partition))
    schemas = [each for each in found.get_schema_names() if not _OF_THE_SERVER.match(each)]
    for schema in sorted(schemas, key=lambda each: (each != usual, each)):
        if schema != usual and connection.dialect.name in ("mysql", "mariadb"):
            left_out.append(f"database {schema}: connect to it as a system of its own")
            continue
        for name, kind in _names(found, schema):
            above, partition = parents.get((schema, name), (None, False))
            if partition:
                left_out.append(f"{schema}.{name}: a partition of {above}, which has its rows")
            else:
                relations.append(_Relation(name, kind, None if schema == usual else schema, above))
    return relations, left_out


def _names(found: Inspector, schema: str) -> Iterator[tuple[str, str]]:
    yield from ((name, "Table") for name in sorted(found.get_table_names(schema)))
    yield from ((name, "View") for name in sorted(found.get_view_names(schema)))
    if found.dialect.name in _HAVE_MATERIALIZED_VIEWS:
        yield from ((name, "Materialized view") for name in sorted(found.get_materialized_view_names(schema)))


def _stream(found: Inspector, relation: _Relation, columns: list[ReflectedColumn], documents: set[str]) -> DraftStream:
    """`documents` are columns that hold lists or documents though SQLAlchemy does not say so."""
    fields, marks = fields_of(
        Given(each["name"], "json" if each["name"] in documents else field_type(each["type"])) for each in columns
    )
    names = dict(zip((each["name"] for each in columns), fields, strict=True))
    key, about_key = _key(found, relation, columns)
    keys = [names[each] for each in key] or guessed_keys(fields, relation.name)
    marks += about_key
    flags = [names[each["name"]] for each in columns if is_flag(each["type"])]
    if flags:
        marks.append(Mark("fields", f"{', '.join(flags[:3])} hold 0 and 1 only? else they are integer"))
    if relation.parent:
        marks.append(Mark("request", f"its rows come with those of {relation.parent}, which it inherits from, too"))
    cursor: dict[str, Value] = {}
    version = next((each for each in fields if each.lower() in _ROW_VERSIONS), None)
    if stamp := guessed_cursor(fields, ("timestamp",)):
        cursor = {"fields": [stamp]}
        marks.append(Mark("cursor", "that every change of a row sets it"))
    elif version and fields[version].get("type") == "integer":
        cursor = {"fields": [version], "kind": "integer"}
        marks.append(Mark("cursor", "that every change of a row raises it"))
    else:
        marks.append(Mark("", "no column says what changed, so each load reads everything"))
    mark = next((each for each in fields if each.lower() in _DELETED and fields[each].get("type") == "boolean"), None)
    return DraftStream(
        name=stream_name(relation.name),
        title=f"{relation.kind} {relation.name}",
        fields=fields,
        keys=keys,
        request={"table": relation.table},
        cursor=cursor,
        after={"deletes": {"flag": {"field": mark}}} if mark else {},
        marks=tuple(marks),
        path=relation.table.replace(".", "/"),
    )


def _arrays(found: Inspector, connection: sa.Connection) -> dict[str, set[str]]:
    """PostgreSQL's columns with lists, by table as a stream names it."""
    by_table: dict[str, set[str]] = {}
    for schema, table, column in connection.execute(sa.text(_ARRAYS)) if _is_postgresql(connection) else ():
        named = str(table) if schema == found.default_schema_name else f"{schema}.{table}"
        by_table.setdefault(named, set()).add(str(column))
    return by_table


def _documents(connection: sa.Connection, relation: _Relation) -> set[str]:
    """MariaDB's columns of JSON."""
    if not getattr(connection.dialect, "is_mariadb", False) or relation.kind != "Table":
        return set()
    name = connection.dialect.identifier_preparer.quote_identifier(relation.name)
    made = connection.exec_driver_sql(f"show create table {name}").one()[1]
    return set(_DOCUMENT.findall(str(made)))


def _is_postgresql(connection: sa.Connection) -> bool:
    return connection.dialect.name == "postgresql"


def _key(found: Inspector, relation: _Relation, columns: list[ReflectedColumn]) -> tuple[list[str], list[Mark]]:
    """The primary key, or a unique one without NULL, and what to check of it."""
    key = found.get_pk_constraint(relation.name, schema=relation.schema)["constrained_columns"]
    kinds = {each["name"]: each["type"] for each in columns}
    inexact = [name for name in key if isinstance(kinds[name], sa.Float)]
    if inexact:
        return key, [Mark("primary_key", f"{', '.join(inexact)} is no exact number: no page can begin after it")]
    if key:
        return key, []
    filled = {each["name"] for each in columns if not each.get("nullable", True)}
    if relation.kind == "Table":
        for unique in found.get_unique_constraints(relation.name, schema=relation.schema):
            if set(unique["column_names"]) <= filled:
                return unique["column_names"], [Mark("primary_key", "the table declares none, but these as unique")]
    return [], [Mark("primary_key", f"it is a guess: the {relation.kind.lower()} declares none")]
