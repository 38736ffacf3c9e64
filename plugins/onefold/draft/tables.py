"""What CSV files and sheets have in common: a header, and the types and the key that the rows below it suggest."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from onefold.catalog.field_line import personal_class
from onefold.draft.guesses import fitting, looks_like_a_key
from onefold.draft.json_sample import STAMP
from onefold.draft.model import DraftStream, Fields, Mark, Value
from onefold.draft.names import Given, fields_of, stream_name
from onefold.errors import Fatal

DATES = (
    ("%Y-%m-%d", r"\d{4}-\d\d-\d\d"), ("%d.%m.%Y", r"\d\d\.\d\d\.\d{4}"), ("%d-%m-%Y", r"\d\d-\d\d-\d{4}"),
    ("%d/%m/%Y", r"(0[1-9]|[12]\d|3[01])/(0[1-9]|1[0-2])/\d{4}"), ("%m/%d/%Y", r"(0[1-9]|1[0-2])/\d\d/\d{4}"),
    ("%Y%m%d", r"(19|20)\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])"),
)  # fmt: skip
"""How days are written, and what looks like one."""
_INTEGER = r"[+-]?(0|[1-9]\d{0,17})"
_COMMA, _POINT = r"[+-]?\d{1,3}([ \u00a0\u202f]?\d{3})*,\d+|[+-]?\d+,\d+", r"[+-]?\d+\.\d+"
_YES_NO = r"(?i:tak|nie|true|false|yes|no|t|n|y)"
COLUMNS = 1_000


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of a table by the names that a loader gives them: of several of one name the second is `name (2)`."""

    values: Mapping[str, Sequence[str]]
    rows: int

    @property
    def filled(self) -> dict[str, list[str]]:
        return {name: [value for value in values if value] for name, values in self.values.items()}


def columns(header: Sequence[str], rows: Sequence[Sequence[str]], named: str) -> Columns:
    """Raises Fatal when the header is none: fewer than two columns, or one without a name before the last."""
    names = [name.strip() for name in header]
    while names and not names[-1]:
        names.pop()
    if len(names) < 2 or not all(names):
        raise Fatal(f"{named}: the first line is no header: names with one of ; , tab | between them, one a column")
    if len(names) > COLUMNS:
        raise Fatal(f"{named}: the header has {len(names)} columns, more than {COLUMNS}")
    seen: Counter[str] = Counter()
    numbered = []
    for name in names:
        seen[name] += 1
        numbered.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    values = {
        name: [row[place].strip() if place < len(row) else "" for row in rows] for place, name in enumerate(numbered)
    }
    return Columns(values, len(rows))


def table_stream(
    found: Columns, kinds: Mapping[str, str], name: str, title: str, pattern: str, form: Mapping[str, Value],
    marks: Iterable[Mark] = (),
) -> DraftStream:  # fmt: skip
    """The stream of files that have these columns."""
    fields, about = fields_of(Given(column, kinds[column]) for column in found.values)
    names = dict(zip(found.values, fields, strict=True))
    keys = _keys(found, names)
    fields |= {_unused("file", fields): {"path": "_file.name"}}
    changed = _unused("file_changed", fields)
    fields |= {changed: {"path": "_file.modified", "type": "timestamp"}}
    twice = [
        column for column in found.values if re.search(r" \(\d+\)$", column) and column.rpartition(" (")[0] in names
    ]
    about += [Mark("fields", f"the header has {column.rpartition(' (')[0]} more than once") for column in twice]
    unsure = "it is a guess" if found.rows else "it is a guess: the file has no rows"
    about += [Mark("primary_key", unsure), Mark("fields", f"types are guessed from {found.rows:,} rows"), *marks]
    return DraftStream(
        name=stream_name(name),
        title=title,
        fields=fields,
        keys=keys,
        request={"path": pattern},
        more={"format": dict(form)},
        cursor={"fields": [changed], "of": "file"},
        after={"volatile": ["_file"]},
        marks=tuple(about),
    )


def decimal_mark(found: Columns) -> str:
    """The decimal mark of the numbers that are text."""
    numbers = [texts for texts in found.filled.values() if matches(f"{_INTEGER}|{_COMMA}", texts)]
    return "," if any("," in text for texts in numbers for text in texts) else "."


def date_form(found: Columns) -> tuple[str | None, bool]:
    """How the days are written (strptime), and whether another way would read them too."""
    for number, (form, shape) in enumerate(DATES):
        of_it = [texts for texts in found.filled.values() if matches(shape, texts)]
        if of_it:
            return form, any(matches(other, texts) for _, other in DATES[number + 1 :] for texts in of_it)
    return None, False


def kind(name: str, values: Sequence[str], dates: str | None, decimal: str) -> str:
    """The type that all the values have. Numbers of people and companies are text: they may begin with a zero."""
    if not values:
        return "text"
    if matches(STAMP.pattern, values):
        return "timestamp"
    shape = next((each for form, each in DATES if form == dates), None)
    if shape and matches(shape, values):
        return "date"
    if personal_class(name) != "none":
        return "text"
    if matches(_INTEGER, values):
        return "integer"
    number = _COMMA if decimal == "," else _POINT
    if matches(f"{_INTEGER}|{number}", values):
        return "numeric"
    return "boolean" if matches(_YES_NO, values) else "text"


def matches(shape: str, values: Sequence[str]) -> bool:
    """Whether all the values have the shape."""
    return bool(values) and all(re.fullmatch(shape, value) for value in values)


def _keys(found: Columns, names: Mapping[str, str]) -> list[str]:
    """The column whose values are all there and all different; of several one that looks like a key."""
    unique = [
        column for column, values in found.values.items()
        if found.rows and all(values) and len(set(values)) == found.rows
    ]  # fmt: skip
    like = [column for column in unique if looks_like_a_key(names[column])]
    best = like or [column for column in unique if names[column] in fitting([names[column]])] or unique
    return [names[column] for column in (best or list(found.values))[:1]]


def _unused(name: str, fields: Fields) -> str:
    taken = {each.lower() for each in fields}
    return name if name not in taken else next(f"{name}_{n}" for n in range(2, 100) if f"{name}_{n}" not in taken)
