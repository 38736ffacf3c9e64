"""What every place of checkpoints is, and which ones a setting names."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol
from urllib.parse import parse_qsl, urlsplit

from onefold.audit.anchor import Anchor
from onefold.audit.places.append_only import AppendOnlyFile
from onefold.audit.places.bucket import LockedBucket
from onefold.audit.places.timestamp import TimeStampAuthority
from onefold.errors import Fatal


class Place(Protocol):
    """Takes checkpoints. `name` is as in the setting."""

    @property
    def name(self) -> str: ...

    @property
    def seconds_between(self) -> int:
        """How long to wait after one attempt before the next; 0 for a place that costs nothing."""
        ...

    def send(self, newest: Anchor, path: Path) -> None:
        """Bring the newest checkpoint of the anchor file `path` there. Raises OnefoldError when it did not arrive."""
        ...


def read_places(setting: str, authorities: str = "") -> list[Place]:
    """The places of a setting such as `file:/srv/checkpoints/anchor.jsonl,s3://bucket/audit?days=3650,tsa:https://…`.

    `authorities` is the PEM file of the roots that a time-stamp authority's certificate leads to. Raises Fatal for a
    setting that cannot be read.
    """
    return [_place(name.strip(), authorities) for name in setting.split(",") if name.strip()]


def _place(name: str, authorities: str) -> Place:
    kind, _, rest = name.partition(":")
    parts = urlsplit(name)
    if "@" in name:
        raise Fatal("ONEFOLD_CHECKPOINTS holds a name or password in an address: it would be logged. Take it out.")
    if kind == "file" and rest.startswith("/"):
        return AppendOnlyFile(name, Path(rest))
    if kind == "s3" and parts.netloc:
        query = dict(parse_qsl(parts.query))
        days = query.get("days", "3650")
        if days.isdigit() and int(days) > 0 and not set(query) - {"days", "region", "endpoint"}:
            region = query.get("region", "us-east-1")
            return LockedBucket(name, parts.netloc, parts.path.strip("/"), int(days), region, query.get("endpoint"))
    if kind == "tsa" and rest.startswith(("http://", "https://")):
        if not authorities or not Path(authorities).is_file():
            raise Fatal(
                f"ONEFOLD_CHECKPOINTS names {name!r}, but ONEFOLD_TSA_CA names no file: give the PEM file with the "
                "root certificate of that authority, without which nobody can check its time-stamps."
            )
        return TimeStampAuthority(name, rest, Path(authorities))
    raise Fatal(
        f"ONEFOLD_CHECKPOINTS names {name!r}, which is no place. Write file:/path/anchor.jsonl, "
        "s3://bucket/prefix?days=3650&region=eu-central-1 (and endpoint=https://… where it is not Amazon's), or "
        "tsa:https://…, with commas between them."
    )
