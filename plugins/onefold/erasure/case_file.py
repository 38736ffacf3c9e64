"""By what a person is known, from the request until the erasure is done: a file that only its owner reads, no database.

The plan, the approval and the execution are of different processes and days. A value in the database would be in its
backups, and in Airflow's run parameters for everybody to see; so these name the case by its number alone.
"""

from __future__ import annotations

import json
import re
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from onefold.errors import Fatal
from onefold.privacy.records import GoldenId, RecordId
from onefold.privacy.secret_file import destroy, read_secret
from onefold.privacy.suppressions import folder
from onefold.privacy.values import PersonalValue
from onefold.private_files import write_private


@dataclass(frozen=True, slots=True)
class Case:
    """What was asked for, and later what was found: a second attempt cannot find what the first has erased."""

    name: str
    values: frozenset[PersonalValue] = field(repr=False)
    golden: GoldenId | None = None
    records: frozenset[RecordId] = frozenset()

    def require_somebody(self) -> None:
        """Raises Fatal when it names nobody."""
        if not self.values and not self.golden and not self.records:
            raise Fatal(
                "Nobody is named. Give an e-mail address, a PESEL or a golden record; see bin/onefold erase --help."
            )


def open_case(
    values: frozenset[PersonalValue], golden: GoldenId | None = None, *, records: frozenset[RecordId] = frozenset()
) -> Case:
    """A new case. Raises Fatal when it names nobody."""
    case = Case(secrets.token_hex(8), values, golden, records)
    case.require_somebody()
    save_case(case)
    return case


def save_case(case: Case) -> None:
    """Write the case; what was there of it before is overwritten on disk."""
    path = _path(case.name)
    content = {
        "values": sorted([value.kind, value.text] for value in case.values),
        "golden": case.golden,
        "records": sorted(map(list, case.records)),
    }
    before = path.with_suffix(".before")
    if path.exists():
        path.replace(before)
    write_private(path, json.dumps(content).encode())
    destroy(before)


def read_case(name: str) -> Case:
    """The case of this name. Raises Fatal when there is none (any more) on this machine."""
    path = _path(name)
    for candidate in (path, path.with_suffix(".before")):
        if candidate.exists():
            content = json.loads(read_secret(candidate))
            return Case(
                name,
                frozenset(PersonalValue(kind, text) for kind, text in content["values"]),
                tuple(content["golden"]) if content["golden"] else None,
                frozenset((system, stream, key) for system, stream, key in content["records"]),
            )
    raise Fatal(
        f"There is no open case {name} in {path.parent}: it is done, was refused, or was opened on another machine. "
        "Nothing was erased. Start a new one with bin/onefold erase."
    )


def close_case(name: str) -> None:
    """Destroy what the case knows of the person, drafts that a killed process has left included."""
    path = _path(name)
    for left in (*path.parent.glob(f".{path.name}.*"), path.with_suffix(".before"), path):
        destroy(left)


def _path(name: str) -> Path:
    if not re.fullmatch(r"[0-9a-f]{16}", name):
        raise Fatal("A case is named by 16 hexadecimal digits, as bin/onefold erase says them. Nothing was erased.")
    return folder() / "cases" / f"{name}.json"
