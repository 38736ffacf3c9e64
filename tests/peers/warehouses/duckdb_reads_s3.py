"""DuckDB with its own client of S3, as an analyst has it: runs views.sql and prints what a query gives."""

from __future__ import annotations

import json
import sys

import duckdb
from duckdb_extensions import import_extension

endpoint, key, secret, region, views, query = sys.argv[1:]
import_extension("httpfs")
with duckdb.connect() as connection:
    connection.execute("load httpfs")
    connection.execute(
        f"create secret (type s3, key_id '{key}', secret '{secret}', region '{region}', endpoint '{endpoint}',"
        " url_style 'path', use_ssl false)"
    )
    connection.execute(connection.execute("select content from read_text(?)", [views]).fetchone()[0])
    print(json.dumps(connection.execute(query).fetchall()))
