"""A small, honest reader of SOQL: what it does not understand it refuses, as Salesforce does.

SELECT fields FROM object [WHERE condition [AND …]] [ORDER BY field [ASC|DESC], …] [LIMIT n],
where a condition is field op literal, or field IN (literal, …),
and SELECT COUNT() FROM object. Grammar: Salesforce's SOQL and SOSL reference, "SOQL SELECT syntax".
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Operator = Literal["=", "!=", "<", "<=", ">", ">=", "IN"]
Literal_ = str | float | bool | datetime | tuple[object, ...] | None

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<string>'(?:[^'\\]|\\.)*')
    | (?P<datetime>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d))
    | (?P<number>-?\d+(?:\.\d+)?(?![\w-]))
    | (?P<word>[A-Za-z_][\w.]*)
    | (?P<operator><=|>=|!=|=|<|>)
    | (?P<mark>[,()])
    )""",
    re.VERBOSE,
)
_WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None}


class SoqlError(Exception):
    """A query that is refused; `code` is Salesforce's errorCode."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Condition:
    field: str
    operator: Operator
    literal: Literal_


@dataclass(frozen=True, slots=True)
class Order:
    field: str
    descending: bool


@dataclass(frozen=True, slots=True)
class Query:
    """A query as it was read; `fields` is empty for COUNT()."""

    fields: tuple[str, ...]
    object: str
    conditions: tuple[Condition, ...]
    orders: tuple[Order, ...]
    limit: int | None


def _unescaped(escape: re.Match[str]) -> str:
    return {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}.get(escape[1], escape[1])


class _Reader:
    def __init__(self, text: str) -> None:
        self._tokens: list[tuple[str, str]] = []
        place = 0
        while text[place:].strip():
            match = _TOKEN.match(text, place)
            if not match:
                raise SoqlError("MALFORMED_QUERY", f"unexpected token: '{text[place:].strip().split()[0]}'")
            self._tokens.append((str(match.lastgroup), match[str(match.lastgroup)]))
            place = match.end()
        self._next = 0

    def take(self, kind: str) -> str:
        found, text = self.peek()
        if found != kind:
            raise SoqlError("MALFORMED_QUERY", f"unexpected token: '{text or '<EOF>'}', expecting a {kind}")
        self._next += 1
        return text

    def peek(self) -> tuple[str, str]:
        return self._tokens[self._next] if self._next < len(self._tokens) else ("end", "")

    def skip(self, text: str) -> bool:
        """Steps over the word or mark when it comes next."""
        kind, found = self.peek()
        if kind in ("word", "mark") and found.upper() == text:
            self._next += 1
            return True
        return False

    def expect(self, text: str) -> None:
        if not self.skip(text):
            raise SoqlError("MALFORMED_QUERY", f"unexpected token: '{self.peek()[1] or '<EOF>'}', expecting {text}")

    def literal(self) -> Literal_:
        kind, text = self.peek()
        self._next += 1
        match kind:
            case "string":
                return re.sub(r"\\(.)", _unescaped, text[1:-1])
            case "datetime":
                return datetime.fromisoformat(text)
            case "number":
                return float(text)
            case "word" if text.lower() in _WORDS:
                return _WORDS[text.lower()]
        raise SoqlError("MALFORMED_QUERY", f"unexpected token: '{text or '<EOF>'}', expecting a literal")


def read(text: str) -> Query:
    """The query. Raises SoqlError(MALFORMED_QUERY) for anything outside the grammar above."""
    reader = _Reader(text)
    reader.expect("SELECT")
    fields = _fields(reader)
    reader.expect("FROM")
    name = reader.take("word")
    conditions: list[Condition] = []
    if reader.skip("WHERE"):
        conditions.append(_condition(reader))
        while reader.skip("AND"):
            conditions.append(_condition(reader))
    orders: list[Order] = []
    if reader.skip("ORDER"):
        reader.expect("BY")
        orders.append(_order(reader))
        while reader.skip(","):
            orders.append(_order(reader))
    limit = int(float(reader.take("number"))) if reader.skip("LIMIT") else None
    if reader.peek()[0] != "end":
        raise SoqlError("MALFORMED_QUERY", f"unexpected token: '{reader.peek()[1]}'")
    return Query(fields, name, tuple(conditions), tuple(orders), limit)


def _fields(reader: _Reader) -> tuple[str, ...]:
    fields = [reader.take("word")]
    if fields[0].upper() == "COUNT" and reader.skip("("):
        reader.expect(")")
        return ()
    while reader.skip(","):
        fields.append(reader.take("word"))
    return tuple(fields)


def _condition(reader: _Reader) -> Condition:
    field = reader.take("word")
    if reader.skip("IN"):
        reader.expect("(")
        among = [reader.literal()]
        while reader.skip(","):
            among.append(reader.literal())
        reader.expect(")")
        return Condition(field, "IN", tuple(among))
    operator = reader.take("operator")
    operators: dict[str, Operator] = {"=": "=", "!=": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
    return Condition(field, operators[operator], reader.literal())


def _order(reader: _Reader) -> Order:
    field = reader.take("word")
    descending = reader.skip("DESC")
    if not descending:
        reader.skip("ASC")
    return Order(field, descending)
