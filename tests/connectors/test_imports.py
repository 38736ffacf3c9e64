"""What reading a stream imports: each task that no scheduler has forked pays for it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from onefold.settings import ROOT

HEAVY = {"authlib", "cryptography", "joserfc", "lxml", "openpyxl", "spnego", "sqlite3", "yaml", "zeep"}


@pytest.mark.parametrize(
    ("module", "needed"),
    [
        ("rest.connector", set()),
        ("rest.formats", set()),
        ("odata.connector", set()),
        ("graphql.connector", set()),
        ("soap.connector", {"lxml"}),
        ("files.connector", set()),
        ("files.reader", set()),  # of CSV; a workbook needs openpyxl, XML lxml
    ],
)
def test_a_reader_imports_no_library_that_only_some_streams_need(module: str, needed: set[str]) -> None:
    program = f"import sys, onefold.connectors.{module}; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", program],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "plugins")},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert HEAVY & set(loaded) == needed
