"""How Great Expectations writes the values of a suite into the query that finds the failing rows: as SQL writes them.

Left alone (1.24, expectations/metrics/util.py) it writes Python's repr: "it's" is then a column that does not exist,
and a value with both kinds of quotes ends its own literal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

if TYPE_CHECKING:
    from great_expectations.execution_engine.sqlalchemy_execution_engine import SqlAlchemyExecutionEngine


def write_values_as_sql() -> None:
    """From here on, in this process."""
    from great_expectations.expectations.metrics.map_metric_provider import map_condition_auxilliary_methods

    vars(map_condition_auxilliary_methods)["sqlalchemy_select_to_sql_string"] = _written


def _written(engine: SqlAlchemyExecutionEngine, select_statement: sa.Select[tuple[object, ...]]) -> str:
    """The statement with each value as a literal of the engine's dialect."""
    compiled = select_statement.compile(engine.engine, compile_kwargs={"literal_binds": True})
    return str(compiled).replace("%%", "%")  # the driver's percent signs are doubled, each of them
