"""A draft as the text of the catalogue's files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import yaml

from onefold.catalog.privacy import TO_SAY
from onefold.draft.model import Draft, DraftStream, Mark, Value
from onefold.draft.names import with_distinct_names

CHECK = "# check: "
"""What every mark begins with: `onefold check` counts them."""
LONGEST_LEFT_OUT = 60
LONGEST_TITLE = 120


def draft_yaml(name: str, draft: Draft, origin: str) -> str:
    """The text of catalog/systems/<name>.yaml. What was guessed is marked with a comment to check it."""
    head: list[tuple[str, Value]] = [("system", name), ("title", _title(draft.title)), ("protocol", draft.protocol)]
    head += [("connection", name), ("schedule", "0 * * * *"), ("auth", dict(draft.auth))]
    head += [("limits", {"rate": ["5/s"]}), *draft.more.items()]
    marks = [Mark("schedule", "how often it may and must be asked"), Mark("limits", "what the system allows")]
    marks += draft.marks
    lines = [
        "# yaml-language-server: $schema=../schema/system.schema.json",
        f"# First draft, made from {_comment(origin)}. See to what is marked `check`, remove what nobody needs.",
        *_keyed(head, marks),
        "streams:",
    ]
    for stream in with_distinct_names(draft.streams):
        lines += stream_lines(stream, "  ")
    return "\n".join([*lines, *left_out_lines(draft)]) + "\n"


def stream_lines(stream: DraftStream, indent: str) -> list[str]:
    """The lines of one stream, below `streams`."""
    entries: list[tuple[str, Value]] = [
        ("title", _title(stream.title)),
        ("request", dict(stream.request)),
        ("records", stream.records),
        ("next", dict(stream.following)),
        *stream.more.items(),
        ("primary_key", [*stream.keys]),
        ("cursor", dict(stream.cursor)),
        *stream.after.items(),
    ]
    there = {key for key, value in entries if value} | {"fields"}
    own = [mark for mark in stream.marks if mark.key not in there]
    lines = [f"{stream.name}:{_marked(own)}"]
    lines += [f"  {line}" for line in _keyed(entries, stream.marks)]
    lines += _privacy(stream)
    shown = [f"{_flow(name)}: {_short(given)}" for name, given in stream.fields.items()]
    shown += [f"{_flow(name)}: null" for name in stream.dropped]
    of_fields = [mark for mark in stream.marks if mark.key == "fields"]
    lines += [f"  fields: {{{_marked(of_fields)}", *_wrapped(shown, "    "), "  }"]
    return [f"{indent}{line}" for line in lines]


def left_out_lines(draft: Draft) -> list[str]:
    """What the description has and the draft does not, as comments."""
    shown = [f"# not drafted: {_comment(each)}" for each in draft.left_out[:LONGEST_LEFT_OUT]]
    more = len(draft.left_out) - len(shown)
    return [*shown, *([f"# not drafted: {more} more"] if more else [])]


def suite_yaml(system: str, stream: str, keys: Iterable[str]) -> str:
    """The text of expectations/<system>__<stream>.yaml: what every stream's suite should ask at least."""
    columns = [key.lower() for key in keys]
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
    lines = [f"name: {system}__{stream}", "expectations:", *(f"  - {_flow(each)}" for each in expectations)]
    return "\n".join(lines) + "\n"


def _keyed(entries: Iterable[tuple[str, Value]], marks: Iterable[Mark]) -> list[str]:
    """A line for each key that has a value, with its marks."""
    return [
        f"{key}: {_flow(value)}{_marked([mark for mark in marks if mark.key == key])}"
        for key, value in entries
        if value or value is None
    ]


def _marked(marks: Iterable[Mark]) -> str:
    texts = list(dict.fromkeys(_comment(mark.text) for mark in marks))
    return f" {CHECK}{'; '.join(texts)}" if texts else ""


def _title(text: str) -> str:
    return _comment(text)[:LONGEST_TITLE] or "Untitled"


def _comment(text: str) -> str:
    """On one line, whatever the description's words hold."""
    printable = "".join(letter if letter.isprintable() else " " for letter in text)
    return " ".join(printable.split())


def _privacy(stream: DraftStream) -> list[str]:
    """What must be said of personal data. No description says it, so `onefold check` refuses it until somebody does."""
    personal = [name for name, given in stream.fields.items() if "personal" in given]
    if not personal:
        return []
    purpose = f"{TO_SAY} what {_title(stream.title)} are processed for, in one sentence"
    persons = f"{TO_SAY} whose data it is, as employees or contact persons of customers"
    recipients = f"{TO_SAY} who receives it besides those of catalog/privacy.yaml, or leave it out"
    return [
        f"  privacy: {CHECK}by their names personal: {', '.join(personal[:3])}{', …' if len(personal) > 3 else ''}",
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


def _wrapped(parts: list[str], indent: str, width: int = 114) -> list[str]:
    """The parts with commas between them, on lines of at most about `width` letters."""
    lines, line = [], indent
    for number, part in enumerate(parts):
        text = part if number == len(parts) - 1 else f"{part}, "
        if len(line) + len(text) > width and line.strip():
            lines.append(line.rstrip())
            line = indent
        line += text
    return [*lines, line.rstrip()]


def _flow(value: Value) -> str:
    text = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=10**6, sort_keys=False)
    return text.removesuffix("...\n").strip()
