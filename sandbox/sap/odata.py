"""OData's $filter and $orderby, as far as the sandbox's SAP understands them; the rest is refused.

Grammar: comparisons (eq ne gt ge lt le) of a property with a literal, joined by and, or and parentheses.
Literals: 'text' ('' is a quote), true, false, null (for eq and ne); in version 2 datetime'…', datetimeoffset'…',
time'PT…', in version 4 a bare timestamp with its zone. Source: OData 2.0, URI conventions, sections 4.3, 4.5 and 6.1;
OData 4.01, part 2.
"""

import operator
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from sandbox.sap.model import EntityType, Value

Getter = Callable[[str], Value]
Predicate = Callable[[Getter], bool]

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<datetime>datetime'[^']*')
    | (?P<datetimeoffset>datetimeoffset'[^']*')
    | (?P<bare>\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d))
    | (?P<time>time'[^']*')
    | (?P<string>'(?:[^']|'')*')
    | (?P<word>[A-Za-z_$][\w./]*)
    | (?P<number>-?\d+)
    | (?P<mark>[()])
    )""",
    re.VERBOSE,
)
_DURATION = re.compile(r"PT(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:\.\d+)?S)?")
_LITERALS = {
    2: {
        "Edm.String": ("string",), "Edm.Boolean": ("word",), "Edm.DateTime": ("datetime",), "Edm.Time": ("time",),
        "Edm.DateTimeOffset": ("datetimeoffset",),
    },
    4: {"Edm.String": ("string",), "Edm.Boolean": ("word",), "Edm.DateTimeOffset": ("bare",)},
}  # fmt: skip
_COMPARISONS: dict[str, Callable[[Value, Value], bool]] = {
    name: getattr(operator, name) for name in ("eq", "ne", "gt", "ge", "lt", "le")
}


class ODataError(Exception):
    """A request that SAP refuses with 400."""


def duration(text: str) -> timedelta:
    """The Edm.Time PT10H11M12S as a time since midnight. Raises ODataError for another form."""
    match = _DURATION.fullmatch(text)
    if not match:
        raise ODataError(f"Invalid Edm.Time literal '{text}'")
    hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return timedelta(hours=hours, minutes=minutes, seconds=seconds)


def in_wire_form(value: Value, kind: str = "Edm.DateTime") -> str | bool:
    """The value in OData v2's JSON: /Date(ms)/ (with +0000 where the type has an offset), PT10H11M12S, "12.50"."""
    if isinstance(value, datetime):
        return f"/Date({int(value.timestamp()) * 1000}{'+0000' if kind == 'Edm.DateTimeOffset' else ''})/"
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, timedelta):
        minutes, seconds = divmod(int(value.total_seconds()), 60)
        return f"PT{minutes // 60:02d}H{minutes % 60:02d}M{seconds:02d}S"
    return value


class _Parser:
    def __init__(self, text: str, entity: EntityType, version: int) -> None:
        self._entity = entity
        self._literals = _LITERALS[version]
        self._tokens: list[tuple[str, str]] = []
        place = 0
        while text[place:].strip():
            match = _TOKEN.match(text, place)
            if not match:
                raise ODataError(f"Invalid token at position {place} in $filter")
            self._tokens.append((str(match.lastgroup), match[str(match.lastgroup)]))
            place = match.end()
        self._next = 0

    def parse(self) -> Predicate:
        predicate = self._either()
        if self._next < len(self._tokens):
            raise ODataError(f"Unexpected '{self._tokens[self._next][1]}' in $filter")
        return predicate

    def _either(self) -> Predicate:
        terms = [self._both()]
        while self._skip("or"):
            terms.append(self._both())
        return terms[0] if len(terms) == 1 else lambda get: any(term(get) for term in terms)

    def _both(self) -> Predicate:
        terms = [self._comparison()]
        while self._skip("and"):
            terms.append(self._comparison())
        return terms[0] if len(terms) == 1 else lambda get: all(term(get) for term in terms)

    def _comparison(self) -> Predicate:
        if self._skip("("):
            inner = self._either()
            if not self._skip(")"):
                raise ODataError("Missing ')' in $filter")
            return inner
        name = self._take("word")
        prop = self._entity.by_name.get(name)
        if prop is None:
            raise ODataError(f"Property '{name}' is unknown or cannot be filtered")
        operator = self._take("word")
        if operator not in _COMPARISONS:
            raise ODataError(f"Operator '{operator}' is not supported in $filter")
        if operator in ("eq", "ne") and self._skip("null"):
            return lambda get: (get(name) is None) == (operator == "eq")
        if self._peek()[0] not in self._literals.get(prop.type, ()):
            raise ODataError(f"Type of the literal does not match property '{name}' ({prop.type})")
        literal = self._literal()
        compare = _COMPARISONS[operator]
        return lambda get: get(name) is not None and compare(get(name), literal)

    def _literal(self) -> Value:
        kind, text = self._peek()
        self._next += 1
        match kind:
            case "string":
                return text[1:-1].replace("''", "'")
            case "datetime":
                return _moment(text.removeprefix("datetime")[1:-1])
            case "datetimeoffset" | "bare":
                return _instant(text.removeprefix("datetimeoffset").strip("'"))
            case "time":
                return duration(text.removeprefix("time")[1:-1])
            case "word" if text in ("true", "false"):
                return text == "true"
        raise ODataError(f"Expected a literal in $filter, not '{text}'")

    def _peek(self) -> tuple[str, str]:
        return self._tokens[self._next] if self._next < len(self._tokens) else ("end", "")

    def _skip(self, text: str) -> bool:
        if self._peek()[1] == text and self._peek()[0] in ("word", "mark"):
            self._next += 1
            return True
        return False

    def _take(self, kind: str) -> str:
        found, text = self._peek()
        if found != kind:
            raise ODataError(f"Unexpected '{text}' in $filter")
        self._next += 1
        return text


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ODataError(f"Invalid Edm.DateTime literal '{text}'") from error
    if moment.tzinfo:
        raise ODataError(f"Edm.DateTime has no offset: '{text}'")
    return moment.replace(tzinfo=UTC)


def _instant(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ODataError(f"Invalid Edm.DateTimeOffset literal '{text}'") from error
    if not moment.tzinfo:
        raise ODataError(f"Edm.DateTimeOffset needs an offset: '{text}'")
    return moment


def predicate(text: str, entity: EntityType, version: int = 2) -> Predicate:
    """Whether a row passes the $filter. Raises ODataError for what is outside the grammar above."""
    return _Parser(text, entity, version).parse()


def ordering(text: str, entity: EntityType) -> list[tuple[str, bool]]:
    """The $orderby as (property, descending). Raises ODataError for unknown properties."""
    orders = []
    for part in text.split(","):
        name, *direction = part.split()[:2] or [""]
        if name not in entity.by_name or direction not in ([], ["asc"], ["desc"]):
            raise ODataError(f"Cannot sort by '{part.strip()}'")
        orders.append((name, direction == ["desc"]))
    return orders
