"""What a statement in the log does to a table beyond the changes of rows that the log has."""

from __future__ import annotations

import re
from collections.abc import Iterable

from onefold.connectors.emptied import EMPTIED, Emptied

_COMMENT = re.compile(r"/\*(?![!M]).*?\*/|(?:--[ \t]|#)[^\n]*\n?", re.DOTALL)
_RUN_COMMENT = re.compile(r"/\*(?:M?!)\d*|\*/")
"""What is run although it stands in a comment: /*!40000 … */."""
_ROWS = re.compile(r"(?:INSERT|UPDATE|DELETE|REPLACE|LOAD|WITH|CALL|MERGE)\b", re.IGNORECASE)
_ALTER = r"ALTER\s+(?:ONLINE\s+|IGNORE\s+)*TABLE\s+(?:IF\s+EXISTS\s+)?"
_MOVES = (
    r"\b(?:(?:TRUNCATE|DROP|EXCHANGE)\s+PARTITION|(?:IMPORT|DISCARD)\s|CONVERT\s|RENAME\s+(?!(?:COLUMN|INDEX|KEY)\b))"
)
_IF = r"(?:COLUMN\s+)?(?:IF\s+EXISTS\s+)?"


class Statements:
    """Judges statements as to one table, of which the columns are read."""

    def __init__(self, schema: str, table: str, columns: Iterable[str]) -> None:
        self._schema = schema
        named, of = _name(table), _name(schema)
        self._qualified = re.compile(rf"{of}\s*\.\s*{named}", re.IGNORECASE)
        self._plain = re.compile(rf"(?<![\w$.`]){named}", re.IGNORECASE)
        anyname = rf"(?:{of}\s*\.\s*)?{named}"
        names = "|".join(map(_name, columns))
        self._truncate = _statement(rf"TRUNCATE\s+(?:TABLE\s+)?{anyname}")
        self._replaced = [
            _statement(rf"DROP\s+TABLES?\s+.*?{anyname}"),
            _statement(rf"RENAME\s+TABLES?\s+.*?{anyname}"),
            _statement(rf"CREATE\s+OR\s+REPLACE\s+TABLE\s+{anyname}"),
            _statement(rf"{_ALTER}\S+\s.*?\bRENAME\s+(?:TO\s+|AS\s+)?{anyname}"),
            _statement(rf"{_ALTER}\S+\s.*?\bEXCHANGE\s+PARTITION\b.*?{anyname}"),
            _statement(rf"{_ALTER}{anyname}\s.*?{_MOVES}"),
        ]
        self._altered = _statement(rf"{_ALTER}{anyname}\s.*?\b(?:DROP|MODIFY|CHANGE|RENAME)\s+{_IF}(?:{names})")
        self._without_schema = _statement(rf"DROP\s+(?:DATABASE|SCHEMA)\s+(?:IF\s+EXISTS\s+)?{of}")

    def effect(self, schema: str, text: str) -> Emptied | str | None:
        """EMPTIED; what was done to the table, where the log does not tell its rows' changes; None: nothing.

        `schema` is what names without one mean.
        """
        plain = _RUN_COMMENT.sub(" ", _COMMENT.sub(" ", text)).strip()
        if self._without_schema.match(plain):
            return "its database was dropped"
        if not (self._qualified.search(plain) or (self._is_ours(schema) and self._plain.search(plain))):
            return None
        if self._truncate.match(plain):
            return EMPTIED
        if any(each.match(plain) for each in self._replaced):
            return "it was dropped, renamed, replaced, converted, or lost or got a partition"
        if self._altered.match(plain):
            return "a column that the stream reads was dropped or changed"
        return "its rows were changed by a statement, not in the ROW format" if _ROWS.match(plain) else None

    def _is_ours(self, schema: str) -> bool:
        return schema.lower() == self._schema.lower()


def _name(name: str) -> str:
    """An identifier, quoted or not, as a whole."""
    return rf"(?:`{re.escape(name.replace('`', '``'))}`|\"{re.escape(name)}\"|{re.escape(name)}(?![\w$]))"


def _statement(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE | re.DOTALL)
