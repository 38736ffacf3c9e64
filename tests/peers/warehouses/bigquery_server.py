"""bqemulator, whose extension of DuckDB comes from its package."""

from __future__ import annotations

import sys

from bqemulator.cli import main
from duckdb_extensions import import_extension

import_extension("spatial")
sys.argv = ["bqemulator", "start", "--rest-port", sys.argv[1], "--grpc-port", "0", "--log-level", "error"]
main()
