"""Trials as text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from onefold.draft.trial import FieldSeen, Trial
from onefold.text_table import table


def trial_text(trial: Trial) -> str:
    """What one page of the stream showed, for a person."""
    return "\n".join(_lines(trial))


def trial_json(trial: Trial) -> dict[str, object]:
    """The same for scripts."""
    return {
        "stream": trial.stream,
        "passed": trial.passed,
        "failed": trial.failed,
        "records": trial.records,
        "requests": trial.requests,
        "bytes": trial.bytes,
        "seconds": trial.seconds,
        "next_page": trial.next_page,
        "cursor_order": trial.cursor,
        "keyless": trial.keyless,
        "repeated_keys": trial.repeated_keys,
        "problems": list(trial.problems),
        "notes": list(trial.notes),
        "skipped": trial.skipped,
        "fields": [
            {"name": f.name, "declared": f.declared, "seen": dict(f.seen), "absent": f.absent, "unfit": f.unfit}
            for f in trial.fields
        ],
    }


def _lines(trial: Trial) -> Iterator[str]:
    if trial.skipped:
        yield f"{trial.stream}: not tried: {trial.skipped}"
        return
    if trial.failed:
        yield f"{trial.stream}: cannot be read ({_requests(trial)}): {trial.failed}"
        return
    yield (
        f"{trial.stream}: {trial.records:,} records, {_requests(trial)}, {_size(trial.bytes)}, {trial.seconds:g} s; "
        f"next page: {trial.next_page}"
    )
    declared = [each for each in trial.fields if each.declared]
    if trial.records:
        yield table(
            ["field", "declared", "seen"], [[each.name, str(each.declared), _seen(each)] for each in declared], 3
        )
        keys = f"keys: {trial.records - trial.keyless - trial.repeated_keys:,} different"
        yield f"{keys}; cursor: {trial.cursor}" if trial.cursor else keys
    new = [each for each in trial.fields if not each.declared]
    if new:
        yield f"not declared, as they could be under fields: {', '.join(f'{each.name}: {_kind(each)}' for each in new)}"
    if not trial.records:
        yield "no records in what was asked for, so nothing is known of its fields; --since asks for another time"
    for note in trial.notes:
        yield f"single records, which would wait in quarantine: {note}"
    for problem in trial.problems:
        yield f"problem: {problem}"


def _seen(each: FieldSeen) -> str:
    parts = [f"{kind} {count:,}" for kind, count in _ordered(each.seen).items()]
    parts += [f"absent {each.absent:,}"] if each.absent else []
    return ", ".join(parts) or "(not looked at: its path is more than keys)"


def _ordered(seen: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(seen.items(), key=lambda one: -one[1]))


def _kind(each: FieldSeen) -> str:
    kind = next(iter(each.seen))
    return f"{{type: {kind}, required: false}}" if each.absent else kind


def _requests(trial: Trial) -> str:
    return f"{trial.requests} request{'' if trial.requests == 1 else 's'}"


def _size(count: int) -> str:
    return f"{count:,} bytes" if count < 10_240 else f"{count / 1024:,.0f} KiB"
