"""What was erased and may not come in again: records by their key, values as HMACs, which tell nobody what they were.

The key of the HMACs is a file of the installation; so is a second copy of the register, for a backup that is restored
does not know what was erased after it. Without the key file values are not recognised any more, but records still are.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from onefold.errors import Fatal
from onefold.privacy.records import RecordId
from onefold.privacy.secret_file import append_secret, read_secret
from onefold.privacy.subject import Subject
from onefold.privacy.values import ANYWHERE, PersonalValue, Span, values_in
from onefold.private_files import write_private
from onefold.settings import settings
from onefold.warehouse.rows import one_row

_KEY_BYTES = 32


def folder() -> Path:
    """Where the key, the second register and the open cases are."""
    return settings().home / "privacy"


def key_file() -> Path:
    """The key of the HMACs."""
    return folder() / "hmac.key"


def register_file() -> Path:
    """The register's copy outside the database, a JSON object a line."""
    return folder() / "suppressions.jsonl"


@dataclass(frozen=True, slots=True)
class Suppressions:
    """Finds, in any text, the values of all who were erased."""

    key: bytes = field(repr=False)
    hashes: Mapping[bytes, int] = field(repr=False)
    """The HMACs, and the erasure that entered each."""
    weak: bool
    """Whether there are phone numbers or names among them, which are looked for in personal fields alone."""

    def find(self, text: str, *, personal: bool) -> Sequence[Span]:
        return [
            span
            for value, span in values_in(text, personal=personal and self.weak)
            if digest(self.key, value) in self.hashes
        ]

    def erasure_of(self, text: str) -> int | None:
        """The erasure of the person whom an identifier in the text names; None when nobody is."""
        for value, _ in values_in(text, personal=False):
            if erasure_id := self.hashes.get(digest(self.key, value)):
                return erasure_id
        return None

    def fingerprint(self, raw: str) -> bytes:
        """By which a record that is not stored is known again when it comes once more."""
        return hmac.digest(self.key, f"raw:{raw}".encode(), hashlib.sha256)[:16]


def digest(key: bytes, value: PersonalValue) -> bytes:
    """The HMAC of a value; of a name whatever the order of its words."""
    text = " ".join(sorted(value.text.split())) if value.kind == "name" else value.text
    return hmac.digest(key, f"{value.kind}:{text}".encode(), hashlib.sha256)


def hmac_key() -> bytes:
    """The installation's key, made when there is none."""
    path = key_file()
    if not path.exists():
        draft = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
        write_private(draft, secrets.token_bytes(_KEY_BYTES))
        try:
            os.link(draft, path)  # the first of two that begin at once wins
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return _read_key(path)


def suppressions(connection: psycopg.Connection) -> Suppressions | None:
    """What may not come in; None where nobody was erased yet.

    Raises Fatal where the key file is gone or the register's copy says that this database forgot an erasure.
    """
    require_whole_register(connection)
    rows = connection.execute("select kind, hmac, erasure_id from ops.suppression where hmac is not null").fetchall()
    if not rows:
        return None
    if not key_file().exists():
        raise Fatal(
            f"{key_file()} is missing: what was erased could not be recognised when it comes in again. Restore it from "
            "its backup. Nothing was loaded."
        )
    hashes = {hashed: erasure_id for _, hashed, erasure_id in rows}
    return Suppressions(_read_key(key_file()), hashes, any(kind not in ANYWHERE for kind, _, _ in rows))


def suppressed_keys(connection: psycopg.Connection, system: str, stream: str) -> list[str]:
    """The keys of the stream's records that are persons' who were erased."""
    rows = connection.execute(
        "select _key from ops.suppression where kind = 'record' and system = %s and stream = %s", (system, stream)
    ).fetchall()
    return [key for (key,) in rows]


def suppress(connection: psycopg.Connection, erasure_id: int, subject: Subject) -> None:
    """Enter the person's records and values, in the database and in the register's copy; what is there stays.

    Returns when both are on disk, so nothing of the person comes in from then on.
    """
    key = hmac_key()
    values = sorted(subject.values, key=lambda each: (each.kind, each.text))
    lines = [_line(erasure_id, kind="record", record=list(record)) for record in sorted(subject.records)]
    lines += [_line(erasure_id, kind=value.kind, hmac=digest(key, value).hex()) for value in values]
    _enter_twice(connection, erasure_id, lines)


def suppress_record(connection: psycopg.Connection, erasure_id: int, record: RecordId) -> None:
    """Enter one more record of a person who was erased: it has come under another key."""
    _enter_twice(connection, erasure_id, [_line(erasure_id, kind="record", record=list(record))])


def _line(erasure_id: int, **entry: object) -> str:
    return json.dumps({"erasure": erasure_id, **entry}, sort_keys=True)


def _enter_twice(connection: psycopg.Connection, erasure_id: int, lines: Sequence[str]) -> None:
    """The copy first: a crash between the two leaves what the database lacks, which is found, and not the reverse."""
    known = set(_register_lines())
    if new := [line for line in lines if line not in known]:
        append_secret(register_file(), "".join(f"{line}\n" for line in new).encode())
    enter(connection, erasure_id, lines)


def enter(connection: psycopg.Connection, erasure_id: int, lines: Iterable[str]) -> None:
    """Enter lines of the register's copy into the database, as of this erasure; what is there stays."""
    with connection.transaction(), connection.cursor() as cursor:
        cursor.executemany(
            "insert into ops.suppression (erasure_id, kind, system, stream, _key, hmac)"
            " values (%s, %s, %s, %s, %s, %s) on conflict do nothing",
            [(erasure_id, *_row(json.loads(line))) for line in lines],
        )


def missing_lines(connection: psycopg.Connection) -> list[str]:
    """The lines of the register's copy that are not in this database."""
    lines = _register_lines()
    if not lines:
        return []
    known = {
        (kind, system, stream, key, hashed)
        for kind, system, stream, key, hashed in connection.execute(
            "select kind, system, stream, _key, hmac from ops.suppression"
        )
    }
    return [line for line in lines if _row(json.loads(line)) not in known]


def require_whole_register(connection: psycopg.Connection) -> None:
    """Raises Fatal when the database lacks suppressions of the register's copy: it was restored from before them."""
    lines = _register_lines()
    (here,) = one_row(connection.execute("select count(*) from ops.suppression"))
    if len(lines) > here and (missing := missing_lines(connection)):
        raise Fatal(
            f"{len(missing)} suppressions of {register_file()} are not in this database: it was restored from a backup "
            "that is older than an erasure, and holds what was erased. Nothing was loaded or published. Run "
            "`bin/onefold erase --again`, which erases it once more."
        )


def _register_lines() -> list[str]:
    path = register_file()
    return read_secret(path).decode().splitlines() if path.exists() else []


def _row(entry: dict[str, object]) -> tuple[object, ...]:
    record = entry.get("record")
    if isinstance(record, list):
        system, stream, key = record
        return "record", system, stream, key, None
    return entry["kind"], None, None, None, bytes.fromhex(str(entry["hmac"]))


def suppressed_records(lines: Iterable[str]) -> set[RecordId]:
    """The records that these lines of the register's copy name."""
    found = (json.loads(line).get("record") for line in lines)
    return {(record[0], record[1], record[2]) for record in found if record}


def records_of_erasure(connection: psycopg.Connection, erasure_id: int) -> set[RecordId]:
    """The records that an erasure has entered."""
    rows = connection.execute(
        "select system, stream, _key from ops.suppression where kind = 'record' and erasure_id = %s", (erasure_id,)
    ).fetchall()
    return {(system, stream, key) for system, stream, key in rows}


def _read_key(path: Path) -> bytes:
    key = read_secret(path)
    if len(key) != _KEY_BYTES:
        raise Fatal(f"{path} is no key of this version: it has {len(key)} bytes. Restore it from its backup.")
    return key
