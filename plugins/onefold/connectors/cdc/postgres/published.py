"""What the publication of a stream must tell: every change of every row, with the columns that the stream reads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import psycopg
from psycopg import sql
from psycopg.rows import class_row

from onefold.connectors.cdc.postgres.slot import LogTable, publication_options
from onefold.warehouse.rows import one_row


@dataclass(frozen=True, slots=True)
class _Publication:
    relkind: str
    owns: bool
    via_root: bool | None
    tells_all: bool | None
    published: bool
    is_listed: bool
    has_filter: bool
    columns: list[str] | None
    computed: list[str] | None


def missing_of_publication(connection: psycopg.Connection, table: LogTable, oid: int, name: str) -> Iterator[str]:
    """What is missing, each with the SQL that mends it. Where the login can make the publication itself, little is."""
    found = one_row(
        connection.cursor(row_factory=class_row(_Publication)).execute(
            """
            select relkind::text, pg_has_role(relowner, 'usage') as owns, p.pubviaroot as via_root,
                   p.pubinsert and p.pubupdate and p.pubdelete and p.pubtruncate as tells_all,
                   t.tablename is not null as published, r.prrelid is not null as is_listed,
                   t.rowfilter is not null as has_filter, t.attnames::text[] as columns,
                   (select array_agg(attname::text order by attnum) from pg_attribute a
                    where a.attrelid = c.oid and attname = any (%(columns)s) and attnum > 0 and not attisdropped
                      and case when current_setting('server_version_num')::int < 180000 then attgenerated <> ''
                               else attgenerated = 'v' end) as computed
            from pg_class c join pg_namespace n on n.oid = c.relnamespace
            left join pg_publication p on p.pubname = %(publication)s
            left join pg_publication_tables t
                on t.pubname = p.pubname and t.schemaname = n.nspname and t.tablename = relname
            left join pg_publication_rel r on r.prpubid = p.oid and r.prrelid = c.oid
            where c.oid = %(oid)s
            """,
            {"oid": oid, "publication": table.publication, "columns": list(table.columns)},
        )
    )
    publication = sql.Identifier(table.publication).as_string(connection)
    options = publication_options(connection).as_string(connection)
    if found.computed:
        yield (
            f"{', '.join(found.computed)} of {name} is computed, and this server's log does not tell it: take it out "
            "of the stream's fields"
        )
    if found.via_root is None:
        if not found.owns:
            yield (
                "there is no publication, and only the table's owner may make it: CREATE PUBLICATION "
                f"{publication} FOR TABLE {name} WITH ({options});"
            )
        return
    if found.relkind == "p" and not found.via_root:
        yield (
            f"the publication names the partitions, not the table: ALTER PUBLICATION {publication} SET "
            "(publish_via_partition_root = true);"
        )
    elif not found.published:
        yield f"the publication lacks the table: ALTER PUBLICATION {publication} ADD TABLE {name};"
    if not found.tells_all:
        yield (
            f"the publication leaves kinds of changes out: ALTER PUBLICATION {publication} SET "
            "(publish = 'insert, update, delete, truncate');"
        )
    if found.has_filter:
        yield (
            f"the publication leaves rows out (WHERE), which the first reading of the table would bring: ALTER "
            f"PUBLICATION {publication} SET TABLE {name};"
        )
    elif lacking := [each for each in table.columns if each not in (found.columns or table.columns)]:
        remedy = f"SET TABLE {name}" if found.is_listed else f"SET ({options})"
        yield (
            f"the publication leaves out {', '.join(lacking)}, which the stream reads: ALTER PUBLICATION {publication} "
            f"{remedy}; ALTER PUBLICATION {publication} SET ({options});"
        )
