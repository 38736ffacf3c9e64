"""A draft: what a description says about a system, written as catalogue YAML."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import yaml

from onefold.catalog.privacy import TO_SAY

Value = str | int | bool | None | list["Value"] | dict[str, "Value"]
Fields = dict[str, dict[str, Value]]

STAMPS = (
    r"^(system)?_?(last)?_?(mod(ified|stamp)|chang(e|ed)|updat(e|ed))(_?(at|on|date|time|timestamp|datetime|stamp))*$",
    r"^(data|czas)_?(modyfikacji|zmiany|aktualizacji)$",
    r"^(last|date)_?(modified|changed|updated)(_?(date|time|at|on))*$",
)
KEYS = (r"^(id|Id|ID)$", r"^(uuid|guid|key|number|nr|numer|code|kod)$", r"^id_.*$", r"^.*(_id|Id|ID|number|Number)$")
PERSONAL = (
    (r"pesel|passport|paszport|birth|urodz|salary|wynagrodz|iban|bank_?account|rachunek|ssn", "sensitive"),
    (r"e-?mail|phone|telefon|mobile|fax|street|ulica|address|adres|postal|zip|kod_?poczt", "contact"),
    (
        r"first_?name|last_?name|surname|given_?name|imie|nazwisko|full_?name|nip|tax_?(id|number)|login|user_?name",
        "identity",
    ),
    (r"^name$|company|nazwa|firma|organi[sz]ation", "organisation"),
)


@dataclass(frozen=True, slots=True)
class DraftStream:
    """One stream. `keys` and `cursor` are guesses where the description does not say; `doubts` lists the guesses.
    `more` and `after` hold further keys of its YAML, written before primary_key and after cursor."""

    name: str
    title: str
    fields: Fields
    keys: list[str]
    request: Mapping[str, Value] = field(default_factory=dict)
    records: str = ""
    following: Mapping[str, Value] = field(default_factory=dict)
    cursor: Mapping[str, Value] = field(default_factory=dict)
    more: Mapping[str, Value] = field(default_factory=dict)
    after: Mapping[str, Value] = field(default_factory=dict)
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Draft:
    """A system. `more` holds further keys of its YAML, such as odata_version."""

    protocol: str
    title: str
    streams: list[DraftStream]
    auth: Mapping[str, Value] = field(default_factory=dict)
    more: Mapping[str, Value] = field(default_factory=dict)


def draft_yaml(name: str, draft: Draft, origin: str) -> str:
    """The text of catalog/systems/<name>.yaml. What was guessed is marked with a comment to check it."""
    lines = [
        "# yaml-language-server: $schema=../schema/system.schema.json",
        f"# First draft, made from {origin}. Check what is marked, remove the fields that nobody needs.",
        f"system: {name}",
        f"title: {_flow(draft.title)}",
        f"protocol: {draft.protocol}",
        f"connection: {name}",
        'schedule: "0 * * * *" # check: how often it may and must be asked',
    ]
    if draft.auth:
        lines.append(f"auth: {_flow(dict(draft.auth))}")
    lines.append("limits: {rate: [5/s]} # check: what the system allows")
    lines += [f"{key}: {_flow(value)}" for key, value in draft.more.items()]
    lines.append("streams:")
    for stream in with_distinct_names(draft.streams):
        lines += [f"  {line}" for line in _stream(stream)]
    return "\n".join(lines) + "\n"


def suite_yaml(system: str, stream: DraftStream) -> str:
    """The text of expectations/<system>__<stream>.yaml: what every stream's suite should ask at least."""
    columns = [key.lower() for key in stream.keys]
    expectations: list[dict[str, Value]] = [
        {"type": "expect_column_values_to_be_null", "kwargs": {"column": column}, "severity": "critical"}
        for column in ("_unparsed", "_unmapped")
    ]
    expectations += [
        {"type": "expect_column_values_to_not_be_null", "kwargs": {"column": column}, "severity": "critical"}
        for column in columns
    ]
    if len(columns) == 1:
        unique: dict[str, Value] = {"column": columns[0]}
        expectations.append({"type": "expect_column_values_to_be_unique", "kwargs": unique, "severity": "critical"})
    lines = [f"name: {system}__{stream.name}", "expectations:", *(f"  - {_flow(each)}" for each in expectations)]
    return "\n".join(lines) + "\n"


def with_distinct_names(streams: Iterable[DraftStream]) -> list[DraftStream]:
    """The streams; where several have one name, the later ones get a number."""
    seen: Counter[str] = Counter()
    named = []
    for stream in streams:
        seen[stream.name] += 1
        count = seen[stream.name]
        named.append(stream if count == 1 else replace(stream, name=f"{stream.name[:21]}_{count}"))
    return named


def stream_name(text: str) -> str:
    """A name that the catalogue accepts, made of the source's: A_BusinessPartner becomes a_business_partner."""
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", text)
    name = re.sub(r"^[\d_]+", "", "_".join(word.lower() for word in words)) or "stream"
    return name[:24].strip("_")


def guessed_cursor(fields: Fields, kinds: tuple[str, ...] = ("timestamp", "date", "text")) -> str | None:
    """The field that looks like the moment of the last change."""
    for pattern in STAMPS:
        for name, given in fields.items():
            if re.match(pattern, name, re.IGNORECASE) and given.get("type", "text") in kinds:
                return name
    return None


def guessed_keys(fields: Fields) -> list[str]:
    """The field that looks like the key; the first one when none does."""
    for pattern in KEYS:
        for name in fields:
            if re.match(pattern, name):
                return [name]
    return list(fields)[:1]


def personal_class(name: str) -> str:
    """The personal-data class that a field's name suggests."""
    return next((given for pattern, given in PERSONAL if re.search(pattern, name, re.IGNORECASE)), "none")


def field_of(name: str, kind: str, *, required: bool) -> dict[str, Value]:
    """One field's entry: only what differs from the catalogue's defaults."""
    given: dict[str, Value] = {}
    if kind != "text":
        given["type"] = kind
    if kind in ("text", "json", "numeric") and (personal := personal_class(name)) != "none":
        given["personal"] = personal
    if not required:
        given["required"] = False
    return given


def _stream(stream: DraftStream) -> list[str]:
    doubts = f" # check: {'; '.join(stream.doubts)}" if stream.doubts else ""
    lines = [f"{stream.name}:{doubts}", f"  title: {_flow(stream.title)}"]
    entries: list[tuple[str, Value]] = [
        ("request", dict(stream.request)),
        ("records", stream.records),
        ("next", dict(stream.following)),
        *stream.more.items(),
        ("primary_key", [*stream.keys]),
        ("cursor", dict(stream.cursor)),
        *stream.after.items(),
    ]
    lines += [f"  {key}: {_flow(value)}" for key, value in entries if value]
    lines += _privacy(stream)
    shown = ", ".join(f"{_flow(name)}: {_short(given)}" for name, given in stream.fields.items())
    return [*lines, "  fields: {", *_wrapped(shown, "    "), "  }"]


def _privacy(stream: DraftStream) -> list[str]:
    """What must be said of personal data. No description says it, so `onefold check` refuses it until somebody does."""
    personal = [name for name, given in stream.fields.items() if "personal" in given]
    if not personal:
        return []
    purpose = f"{TO_SAY} what {stream.title} are processed for, in one sentence"
    persons = f"{TO_SAY} whose data it is, as employees or contact persons of customers"
    recipients = f"{TO_SAY} who receives it besides those of catalog/privacy.yaml, or leave it out"
    return [
        f"  privacy: # check: by their names personal: {', '.join(personal[:3])}{', …' if len(personal) > 3 else ''}",
        f"    purpose: {_flow(purpose)}",
        "    # legal_basis: contract # consent, legal_obligation, vital_interests, public_task, legitimate_interests",
        f"    persons: [{_flow(persons)}]",
        f"    recipients: [{_flow(recipients)}]",
        "    # retention: {history: P2Y, deleted: P1Y} # where the classes' periods in catalog/privacy.yaml are wrong",
    ]


def _short(given: Mapping[str, Value]) -> str:
    if not given:
        return "text"
    return str(given["type"]) if list(given) == ["type"] else _flow(dict(given))


def _wrapped(text: str, indent: str, width: int = 116) -> list[str]:
    """Lines of at most about `width` letters, broken after the commas between fields."""
    lines, line = [], indent
    for part in re.split(r"(?<=,) (?=[^{}]*(?:\{[^{}]*\}[^{}]*)*$)", text):
        if len(line) + len(part) > width and line.strip():
            lines.append(line.rstrip())
            line = indent
        line += f"{part} "
    return [*lines, line.rstrip()]


def _flow(value: Value) -> str:
    text = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=10**6, sort_keys=False)
    return text.removesuffix("...\n").strip()
