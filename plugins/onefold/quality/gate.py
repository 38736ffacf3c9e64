"""The gate: Great Expectations evaluates a relation; every failing row is found, not just the 200 that GX reports.

Most suites hold most of the time, so the whole suite is first asked for yes or no. Only for what failed are the
failing rows then looked up, by the query that GX itself gives for them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import psycopg
import psycopg2
from psycopg import sql
from psycopg.types.json import Jsonb
from sqlalchemy import Engine, event
from sqlalchemy.engine import ExceptionContext

from onefold.errors import Fatal, Retriable
from onefold.foreign_text import described
from onefold.quality.literals import write_values_as_sql
from onefold.quality.suite import Expectation, Suite
from onefold.settings import current_login
from onefold.warehouse.db_errors import as_onefold_error, safe_message

if TYPE_CHECKING:  # importing it takes seconds: only who evaluates pays
    from great_expectations.core import ExpectationValidationResult
    from great_expectations.core.result_format import ResultFormatUnion

_WHOLE = {"result_format": "BASIC", "return_unexpected_index_query": True, "partial_unexpected_count": 0}


@dataclass(frozen=True, slots=True)
class Finding:
    """What one expectation found. `rows_query` gives the failing rows; None where it is about the whole table."""

    position: int
    expectation: Expectation
    success: bool
    unexpected_rows: int | None = None
    observed: dict[str, float] = field(default_factory=dict)
    rows_query: sql.Composed | None = None

    @property
    def critical(self) -> bool:
        return not self.success and self.expectation.severity == "critical"

    def __str__(self) -> str:
        what = f"{self.expectation.type}({self.expectation.kwargs.get('column', '')})"
        if self.unexpected_rows is not None:
            return f"{what}: {self.unexpected_rows} rows"
        return f"{what}: observed {self.observed['observed_value']}" if self.observed else what


def evaluate_suite(url: str, schema: str, table: str, suite: Suite, index: str = "_key") -> list[Finding]:
    """Evaluate the suite on schema.table, whose rows `index` identifies; one finding an expectation, in order.

    Raises Fatal when an expectation is unknown or cannot be evaluated: a suite that evaluates less than it says has
    failed, whatever Great Expectations calls it. PostgreSQL's own errors are raised as db_errors classes them.
    """
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    import great_expectations as gx
    from great_expectations.core import ExpectationSuite
    from great_expectations.data_context.types.base import ProgressBarsConfig
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration
    from great_expectations.expectations.metadata_types import FailureSeverity

    write_values_as_sql()
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)

    def evaluate(
        expectations: dict[int, Expectation], result_format: ResultFormatUnion
    ) -> dict[int, ExpectationValidationResult]:
        # The position goes along as meta: GX gives its results in an order of its own.
        configured = [
            ExpectationConfiguration(
                type=e.type, kwargs=_escaped(e.kwargs), severity=FailureSeverity(e.severity), meta={"position": n}
            )
            for n, e in expectations.items()
        ]
        results = batch.validate(
            ExpectationSuite(suite.name, expectations=configured), result_format=result_format
        ).results
        if len(results) != len(expectations):
            raise Fatal(
                f"suite {suite.name}: {len(expectations)} expectations are written and {len(results)} were evaluated. "
                f"Check the spelling of their types and arguments in expectations/{suite.name}.yaml."
            )
        by_position = {_position(result): result for result in results}
        for position, expectation in expectations.items():
            if fault := _exception(by_position[position].exception_info):
                fault = safe_message(refused[0]) if refused else _told(fault, expectation)
                raise Fatal(f"suite {suite.name}: {expectation.type} {expectation.kwargs} cannot be evaluated: {fault}")
        return by_position

    written = dict(enumerate(suite.expectations, start=1))
    with _database_errors(f"suite {suite.name}") as refused:
        source = context.data_sources.add_postgres("warehouse", connection_string=_gx_url(current_login(url)))
        try:
            asset = source.add_table_asset("candidates", table_name=table, schema_name=schema)
            batch = asset.add_batch_definition_whole_table("all").get_batch()
            verdicts = evaluate(written, "BOOLEAN_ONLY")
            failed = {position: e for position, e in written.items() if not verdicts[position].success}
            details = evaluate(failed, {**_WHOLE, "unexpected_index_column_names": [index]}) if failed else {}
        finally:  # or the pools, of which it makes two, keep a connection each
            source.get_engine().dispose()
            source.get_execution_engine().engine.dispose()
    relation = sql.Identifier(schema, table)
    return [_finding(position, e, details.get(position), relation, index) for position, e in written.items()]


def _position(result: ExpectationValidationResult) -> int:
    """Where in the suite the expectation stands whose result this is."""
    configured = result.expectation_config
    if configured is None or configured.meta is None:
        raise Fatal("Great Expectations gave a result without the expectation that it belongs to.")
    position: int = configured.meta["position"]
    return position


@contextmanager
def _database_errors(where: str) -> Iterator[list[psycopg2.Error]]:
    """Gives the errors of PostgreSQL met in the block, and raises what can be tried again as Retriable.

    Great Expectations keeps them as text inside its results, SQL and all; SQLAlchemy's event has them whole.
    """
    met: list[psycopg2.Error] = []

    def note(context: ExceptionContext) -> None:
        if isinstance(context.original_exception, psycopg2.Error):
            met.append(context.original_exception)

    event.listen(Engine, "handle_error", note)
    try:
        yield met
    except Exception:
        if met and isinstance(reason := as_onefold_error(met[0], where), Retriable):
            raise reason from None
        raise
    finally:
        event.remove(Engine, "handle_error", note)


def _finding(
    position: int,
    expectation: Expectation,
    detail: ExpectationValidationResult | None,
    table: sql.Identifier,
    index: str,
) -> Finding:
    if detail is None:
        return Finding(position, expectation, True)
    result = detail.result
    found, asked = result.get("unexpected_index_query"), expectation.kwargs.get("unexpected_rows_query")
    failing = statement(str(found)) if found else batch_query(str(asked), table) if asked else None
    query = sql.SQL("select {} from ({}) failing").format(sql.Identifier(index), failing) if failing else None
    rows = result.get("unexpected_count")
    if rows is None and query and isinstance(result.get("observed_value"), int):
        rows = result["observed_value"]
    value = result.get("observed_value")
    # Numbers only: the greatest name of a column is somebody's name.
    observed = {"observed_value": value} if not query and isinstance(value, int | float) else {}
    return Finding(position, expectation, False, rows, observed, query)


def _escaped(kwargs: Mapping[str, object]) -> dict[str, object]:
    """The arguments with all braces of SQL but those of {batch} doubled, or Great Expectations takes them for
    placeholders: the {2} of a regular expression."""
    query = kwargs.get("unexpected_rows_query")
    if not isinstance(query, str):
        return dict(kwargs)
    doubled = query.replace("{", "{{").replace("}", "}}").replace("{{batch}}", "{batch}")
    return {**kwargs, "unexpected_rows_query": doubled}


def batch_query(query: str, table: sql.Identifier) -> sql.SQL:
    """A query written for Great Expectations, where {batch} stands for the table."""
    return statement(query.replace("{batch}", table.as_string(None)))


def statement(query: str) -> sql.SQL:
    """A query as part of another one."""
    return sql.SQL(query.rstrip().rstrip(";"))


def _exception(info: dict[str, object]) -> str | None:
    """GX gives either one flat record or one a metric."""
    for part in [info, *(value for value in info.values() if isinstance(value, dict))]:
        if part.get("raised_exception") is True:
            return str(part.get("exception_message"))
    return None


def _told(fault: str, expectation: Expectation) -> str:
    """What Great Expectations found wrong, without its text, which may quote rows."""
    column = str(expectation.kwargs.get("column"))
    return f"there is no column {column}" if "does not exist" in fault and column in fault else described(fault)


def _gx_url(url: str) -> str:
    return "postgresql+psycopg2://" + url.split("://", 1)[1]


def store_findings(
    cursor: psycopg.Cursor,
    suite: str,
    findings: list[Finding],
    *,
    load_id: int | None = None,
    publish_id: int | None = None,
) -> None:
    """Write the verdict on a load or on a publish into ops.gate_result, in the caller's transaction."""
    cursor.executemany(
        "insert into ops.gate_result (load_id, publish_id, suite, position, expectation, kwargs, severity, success,"
        " unexpected_rows, observed) values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        [
            (
                *(load_id, publish_id, suite, f.position, f.expectation.type, Jsonb(f.expectation.kwargs)),
                *(f.expectation.severity, f.success, f.unexpected_rows, Jsonb(f.observed)),
            )
            for f in findings
        ],
    )
