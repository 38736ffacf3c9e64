"""No file of the cluster holds what was erased: tables, indexes, statistics, counted statements, write-ahead log,
dump, home."""

from __future__ import annotations

import subprocess

import psycopg

from tests.erasure.office import EMAIL, OTHER
from tests.erasure.world import NEEDLES, ErasureWorld
from tests.roles import as_role


def test_no_byte_of_the_person_is_on_disk(erasure_world: ErasureWorld) -> None:
    with erasure_world.warehouse() as copy:
        with psycopg.connect(copy.loader_url) as loader:  # copying does not write to the log what it copies
            loader.execute("update staging.hr__employee set _payload = _payload")
        with psycopg.connect(as_role(copy.url, "onefold_analyst")) as analyst:  # a cursor's query keeps its values
            analyst.execute(f"declare c cursor for select from pg_class where relname = '{EMAIL}'")
            analyst.execute("fetch c")
        before = copy.traces()
        assert any("/pg_wal/" in path for path in before)
        assert any("/base/" in path for path in before)
        assert any("/pg_stat" in path for path in before)
        copy.erase()
        assert copy.traces() == []
        command = [copy.location.binaries / "pg_dump", copy.url]
        dump = subprocess.run(command, check=True, capture_output=True).stdout.decode()
        assert OTHER in dump
        assert [needle for needle in NEEDLES if needle in dump] == []
