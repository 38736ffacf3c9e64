"""A suite's expectations as dbt tests, run in this process: the same checks by another way."""

from __future__ import annotations

import json
import os
from pathlib import Path
from urllib.parse import urlsplit

from onefold.quality.suite import Expectation, Suite

THREADS = 4
_HOLDS = """\
{% test holds(model, column_name, condition) %}
select * from {{ model }} where not ({{ condition }})
{% endtest %}

{% test whole_table_holds(model, condition) %}
select 1 from {{ model }} having not ({{ condition }})
{% endtest %}
"""


class DbtTests:
    """A dbt project with the suite's checks on landing.candidates, parsed once as a scheduler keeps it."""

    def __init__(self, suite: Suite, url: str, folder: Path) -> None:
        from dbt.cli.main import dbtRunner

        os.environ["DBT_SEND_ANONYMOUS_USAGE_STATS"] = "false"
        server = urlsplit(url)
        self._where = [f"--project-dir={folder}", f"--profiles-dir={folder}", f"--log-path={folder}"]
        output = {
            "type": "postgres",
            "host": server.hostname,
            "port": server.port,
            "user": server.username,
            "password": server.password,
            "dbname": server.path[1:],
            "schema": "landing",
            "threads": THREADS,
        }
        # JSON is YAML.
        files = {
            "profiles.yml": json.dumps({"bench": {"target": "bench", "outputs": {"bench": output}}}),
            "dbt_project.yml": json.dumps({"name": "bench", "version": "1.0", "profile": "bench"}),
            "models/candidates.yml": json.dumps(_sources(suite)),
            "tests/generic/holds.sql": _HOLDS,
        }
        for name, content in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(content)
        self._manifest = dbtRunner().invoke(["--quiet", "parse", *self._where]).result

    def run(self, *, keep_failures: bool) -> int:
        """Run every test; returns how many failed. Raises RuntimeError when one could not be run."""
        from dbt.cli.main import dbtRunner

        arguments = ["--log-level=none", "test", *self._where, f"--threads={THREADS}"]
        done = dbtRunner(manifest=self._manifest).invoke(arguments + ["--store-failures"] * keep_failures)
        if done.exception or any(result.status == "error" for result in done.result):
            raise RuntimeError(f"dbt could not run the tests: {done.exception or done.result}")
        self.count = len(done.result)
        return sum(result.status == "fail" for result in done.result)


def _sources(suite: Suite) -> dict[str, object]:
    columns: dict[str, list[object]] = {}
    table: list[object] = []
    for expectation in suite.expectations:
        column = expectation.kwargs.get("column")
        found = _test(expectation)
        if isinstance(found, dict) and "whole_table_holds" in found:
            table.append(found)
        else:
            columns.setdefault(str(column or "country"), []).append(found)
    described = {
        "name": "candidates",
        "data_tests": table,
        "columns": [{"name": name, "data_tests": tests} for name, tests in columns.items()],
    }
    return {"version": 2, "sources": [{"name": "landing", "tables": [described, {"name": "countries"}]}]}


def _test(expectation: Expectation) -> object:
    """What a dbt user writes for it: dbt's own generic test where there is one."""
    kwargs = expectation.kwargs
    column = kwargs.get("column")

    def holds(condition: str, test: str = "holds") -> dict[str, object]:
        # Named, or dbt makes a name of the whole condition.
        return {test: {"name": f"{column}_{expectation.type}", "arguments": {"condition": condition}}}

    match expectation.type:
        case "expect_column_values_to_not_be_null":
            return "not_null"
        case "expect_column_values_to_be_unique":
            return "unique"
        case "expect_column_values_to_be_in_set":
            return {"accepted_values": {"arguments": {"values": kwargs["value_set"]}}}
        case "unexpected_rows_expectation":
            return {"relationships": {"arguments": {"to": "source('landing', 'countries')", "field": "code"}}}
        case "expect_column_values_to_match_regex":
            return holds(f"{column} ~ '{kwargs['regex']}'")
        case "expect_column_values_to_be_between":
            return holds(f"{column} between {kwargs['min_value']} and {kwargs['max_value']}")
        case "expect_column_value_lengths_to_be_between":
            return holds(f"length({column}) between {kwargs['min_value']} and {kwargs['max_value']}")
        case "expect_column_max_to_be_between":
            return holds(f"max({column}) >= '{kwargs['min_value']}'", "whole_table_holds")
        case "expect_table_row_count_to_be_between":
            return holds(f"count(*) >= {kwargs['min_value']}", "whole_table_holds")
    raise ValueError(f"no dbt test is known for {expectation.type}")
