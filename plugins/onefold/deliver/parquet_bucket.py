"""Parquet in a bucket: the files of a folder of Parquet (parquet_folder.py), and published.json, which names them.

That one object is the pointer: it is replaced by a conditional PUT, and names beside the views' files the one with the
state from which they were written, so a delivery can go on from any machine. What it does not name yet, nobody reads.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypedDict

import duckdb

from onefold.deliver.bucket import Bucket
from onefold.deliver.duckdb_file import DuckDbFile, DuckDbSession
from onefold.deliver.parquet_folder import MANIFEST, STATE, VIEWS, Manifest, view_statements, write_views
from onefold.errors import Retriable


class Stored(TypedDict):
    """The file with the state, and its SHA-256."""

    file: str
    sha256: str


class BucketManifest(Manifest):
    """What published.json says in a bucket."""

    state: Stored


class ParquetBucket(DuckDbFile):
    """A target that is a bucket of Parquet files. `folder` keeps the state here too, so that it is fetched only where
    somebody else has written it."""

    def __init__(self, name: str, bucket: Bucket, folder: Path) -> None:
        super().__init__(name, folder / STATE)
        self.place = bucket.place
        self.bucket = bucket
        self._shown: BucketManifest | None = None
        self._tag: str | None = None

    @contextmanager
    def reading(self) -> Iterator[DuckDbSession | None]:
        self._fetch()
        with super().reading() as session:
            yield session

    @contextmanager
    def writing(self, *, anew: bool = False) -> Iterator[DuckDbSession]:
        self._fetch()
        with super().writing(anew=anew) as session:
            yield session

    def manifest(self) -> BucketManifest | None:
        """What the bucket shows; None where nothing was delivered."""
        found = self.bucket.read(MANIFEST)
        self._tag = found[1] if found else None
        self._shown = json.loads(found[0]) if found else None
        return self._shown

    def _fetch(self) -> None:
        """Have the state here that the bucket names."""
        shown = self.manifest()
        with self._errors():
            if shown is None:
                self.path.unlink(missing_ok=True)
            elif _sha256(self.path) != shown["state"]["sha256"]:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                fetched = self.path.with_name(f"{self.path.name}.fetched")
                self.bucket.download(shown["state"]["file"], fetched)
                if _sha256(fetched) != shown["state"]["sha256"]:
                    raise Retriable(
                        f"{self.name}: {shown['state']['file']} is not what {MANIFEST} says. If it stays so, delete "
                        f"{MANIFEST} in {self.place}: the next delivery makes everything anew."
                    )
                fetched.replace(self.path)

    def _before_it_is_shown(self, copy: Path, *, anew: bool) -> None:
        before = self._shown
        with TemporaryDirectory(dir=self.path.parent) as name:
            with duckdb.connect(str(copy), read_only=True) as connection:
                said = write_views(connection, before, Path(name))
            if said["delivery_id"] == 0:
                return
            for path in sorted(Path(name).glob("*/*.parquet")):
                self.bucket.upload(path, f"{path.parent.name}/{path.name}")
        digest = _sha256(copy)
        state: Stored = {"file": f".state/{said['delivery_id']}-{digest[:16]}.duckdb", "sha256": digest}
        self.bucket.upload(copy, state["file"])
        manifest: BucketManifest = {**said, "state": state}
        if not self.bucket.replace(MANIFEST, json.dumps(manifest, indent=1).encode(), self._tag):
            raise Retriable(
                f"{self.name}: somebody else has delivered into {self.place} since this delivery began. Readers see "
                "what it delivered. Find who else delivers there, then try again."
            )
        statements = "".join(f"{line}\n" for line in view_statements(self.place, manifest))
        self.bucket.write(VIEWS, statements.encode())
        kept = _files(manifest) | (_files(before) if before and not anew else set()) | {MANIFEST, VIEWS}
        self.bucket.delete([key for key in self.bucket.listed() if key not in kept])


def _files(manifest: BucketManifest) -> set[str]:
    return {each["file"] for each in manifest["views"].values()} | {manifest["state"]["file"]}


def _sha256(path: Path) -> str:
    if not path.exists():
        return ""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
