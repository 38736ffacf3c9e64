"""Parquet in a folder: one file for each view, written anew where its content changed, and one file that says which of
them are shown. What is delivered stands in a DuckDB file within the folder, from which they are written."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TypedDict

import duckdb

from onefold.deliver.duckdb_file import DuckDbDialect, DuckDbFile, sync

STATE, MANIFEST, VIEWS = ".state.duckdb", "published.json", "views.sql"


class File(TypedDict):
    """One view: its file, relative to the folder, and the fingerprint of its content."""

    file: str
    rows: int
    fingerprint: str


class Manifest(TypedDict):
    """What published.json says: the delivery, its publish, and the file of each view."""

    delivery_id: int
    publish_id: int
    views: dict[str, File]


class ParquetFolder(DuckDbFile):
    """A target that is a folder of Parquet files."""

    def __init__(self, name: str, folder: Path) -> None:
        super().__init__(name, folder / STATE)
        self.place = f"file://{folder}"
        self.folder = folder

    def _before_it_is_shown(self, copy: Path, *, anew: bool) -> None:
        before = read_manifest(self.folder)
        with duckdb.connect(str(copy), read_only=True) as connection:
            manifest = write_views(connection, before, self.folder)
        if manifest["delivery_id"] == 0:
            return
        _replace(self.folder / VIEWS, "".join(f"{line}\n" for line in view_statements(str(self.folder), manifest)))
        _replace(self.folder / MANIFEST, json.dumps(manifest, indent=1))
        self._delete_unnamed(manifest, *([] if anew else [before]))

    def _delete_unnamed(self, *shown: Manifest) -> None:
        """Delete the files that none of these deliveries shows. At those of the one before a reader may still be: they
        go at once only where they may have what was erased."""
        named = {each["file"] for manifest in shown for each in manifest["views"].values()}
        for path in self.folder.glob("*/*.parquet"):
            if f"{path.parent.name}/{path.name}" not in named:
                path.unlink()


def write_views(connection: duckdb.DuckDBPyConnection, before: Manifest | None, folder: Path) -> Manifest:
    """Write the views that differ from those of before into a folder; the same file stays the same view's as long as
    its content does. Returns what is shown with them."""
    shown = connection.execute(
        "select p.delivery_id, coalesce(d.publish_id, 0) from onefold.published as p"
        " left join onefold.delivery as d using (delivery_id)"
    ).fetchone()
    delivery_id, publish_id = shown or (0, 0)
    views: dict[str, File] = {}
    found = connection.execute(
        "select schema_name, view_name, sql from duckdb_views() where not internal and schema_name <> 'onefold'"
        " order by all"
    ).fetchall()
    for schema, view, definition in found:
        name = f"{schema}.{view}"
        known = before["views"].get(name) if before else None
        quoted = DuckDbDialect().table(view, schema)
        counted = connection.execute(
            f"select count(*), coalesce(sum(hash(v)), 0)::varchar || md5(?) from {quoted} as v", [definition]
        ).fetchone()
        rows, fingerprint = counted or (0, "")
        if known and known["fingerprint"] == fingerprint:
            views[name] = known
            continue
        path = folder / schema / f"{view}-{delivery_id}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        connection.execute(f"copy (select * from {quoted}) to '{_escaped(str(path))}' (format parquet)")
        sync(path)
        views[name] = {"file": f"{schema}/{path.name}", "rows": rows, "fingerprint": fingerprint}
    return {"delivery_id": delivery_id, "publish_id": publish_id, "views": views}


def read_manifest(folder: Path) -> Manifest:
    """What the folder shows; nothing where nothing was delivered."""
    path = folder / MANIFEST
    if not path.exists():
        return {"delivery_id": 0, "publish_id": 0, "views": {}}
    manifest: Manifest = json.loads(path.read_text("utf-8"))
    return manifest


def view_statements(place: str, manifest: Manifest) -> Iterator[str]:
    """The statements by which DuckDB shows the files at a place under the names that analysts know."""
    dialect = DuckDbDialect()
    for schema in sorted({name.partition(".")[0] for name in manifest["views"]}):
        yield f"create schema if not exists {dialect.quote(schema)};"
    for name, each in manifest["views"].items():
        schema, _, view = name.partition(".")
        file = _escaped(f"{place}/{each['file']}")
        yield f"create or replace view {dialect.table(view, schema)} as select * from read_parquet('{file}');"
        if view.endswith("_history"):
            yield f"{dialect.as_of(schema, view)};"


def _escaped(path: str) -> str:
    return path.replace("'", "''")


def _replace(path: Path, text: str) -> None:
    following = path.with_name(f"{path.name}.next")
    following.write_text(text, encoding="utf-8")
    sync(following)
    following.replace(path)
