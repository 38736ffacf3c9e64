"""The query within a statement as PostgreSQL counts it: DECLARE, COPY and others are counted under their own text."""

from __future__ import annotations

import re

from onefold.warehouse.statement_text import without_comments

_AROUND = re.compile(
    r"declare\s+\S+\s+(?:(?:binary|insensitive|asensitive|no|scroll)\s+)*cursor\s+(?:with(?:out)?\s+hold\s+)?for\s+(?P<declared>.*)"
    r"|copy\s*\((?P<copied>.*)\)\s*to\b.*"
    r"|copy\s+(?:only\s+)?(?P<table>(?:\"(?:[^\"]|\"\")+\"|[\w$.])+)\s*(?:\((?P<columns>[^()]*)\))?\s*to\b.*"
    r"|create\s+(?:\w+\s+){0,3}table\s+.*?\bas\s+(?P<made>(?:select|with|values|table|\().*?)(?:\s+with\s+(?:no\s+)?data)?"
    r"|explain\s+(?:\([^()]*\)|analyze\b|verbose\b|\s)*(?P<explained>.*)"
    r"|prepare\s+\S+\s*(?:\([^()]*\))?\s*as\s+(?P<prepared>.*)",
    re.DOTALL | re.IGNORECASE,
)
_READS_NOTHING = re.compile(
    r"(?:begin|start|commit|end|rollback|abort|savepoint|release|set|reset|show|fetch|move|close|deallocate|discard|execute"
    r"|lock|listen|notify|unlisten|analyze|vacuum|checkpoint|alter|grant|revoke|drop|truncate|comment)\b(?!\s*\()"
    r"|create\s+(?:or\s+replace\s+)?(?:(?:global|local|temp|temporary|unique)\s+)*(?:function|procedure|index|type|domain|view"
    r"|sequence|schema|role|user)\b",
    re.IGNORECASE,
)
"""Statements that read nothing themselves; what FETCH and EXECUTE read is counted where it was planned."""
_TYPED = re.compile(
    r"\b(date|time|timestamp|timestamptz|timetz|interval|numeric|decimal|uuid|jsonb?|bool|boolean|text|inet|bytea)"
    r"((?:\s+with(?:out)?\s+time\s+zone)?)\s+(\$\d+)",
    re.IGNORECASE,
)


def query_of(statement: str) -> str | None:
    """The query that the statement runs, as PREPARE takes it: without comments, and with `$1::date` for the `date $1`
    that PostgreSQL makes of `date '2026-01-01'`. None where it runs none."""
    text = without_comments(statement).strip(" \n\t\r;")
    if found := _AROUND.fullmatch(text):
        if found["table"]:
            return f"select {found['columns'] or '*'} from {found['table']}"  # noqa: S608 - planned, not run
        parts = ("declared", "copied", "made", "explained", "prepared")
        text = next(found[part] for part in parts if found[part] is not None)
    elif _READS_NOTHING.match(text):
        return None
    return _TYPED.sub(r"\3::\1\2", text).strip()
