"""Marts on a few records, without dbt's start-up time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import jinja2
import psycopg
import pytest

from onefold.settings import ROOT
from tests.insight.marts import MACROS

MARTS = ROOT / "dbt_project" / "models" / "marts"
TABLES = """
create temp table employee as select * from (values
    ('anna', 'IT', date '2020-01-01', null::date), ('jan', 'Zakupy', '2021-05-01', date '2023-03-31'),
    ('ola', 'IT', '2022-01-01', null)
) as t (employee_id, department, hired_on, left_on);
create temp table employee_job as select * from (values
    ('anna', '9', date '2020-01-01', 'Sprzedaż'), ('anna', '10', '2020-01-01', 'Finanse'),
    ('anna', '11', '2023-03-01', 'IT'), ('jan', '12', '2021-05-01', 'Zakupy'), ('anna', '13', null, 'Zarząd'),
    (null, '14', '2020-01-01', 'IT')
) as t (employee_id, job_key, valid_from, department),
    lateral (select 'Firma', 'Łódź', 'x') as more (division, location, job_title);
"""


def mart(name: str, source: Callable[[str, str], str] = "{}.{}".format) -> str:
    """The SQL of a mart over the entities, or over what `source` says."""
    text = MACROS + (MARTS / f"{name}.sql").read_text("utf-8")
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined)  # noqa: S701 - SQL, not HTML

    def ref(model: str) -> str:
        return f"({mart(model, source)})" if (MARTS / f"{model}.sql").exists() else source("mapped", model)

    return environment.from_string(text).render(source=source, ref=ref)


def temporary(schema: str, table: str) -> str:
    """The table of this test that stands for the entity."""
    return table.removesuffix("_unmasked")


@pytest.fixture
def connection(loader: psycopg.Connection) -> psycopg.Connection:
    for statement in TABLES.strip().split(";\n"):
        loader.execute(statement)
    return loader


def test_an_employees_department_can_be_asked_for_as_of_a_day(connection: psycopg.Connection) -> None:
    history = f"({mart('employee_history', temporary)}) as history"
    at = "employee_id = %s and valid_from <= %s and (valid_to is null or %s < valid_to)"
    query = f"select department from {history} where {at}"  # noqa: S608 - our own mart
    days = {"anna": ("2020-06-01", "2023-02-28", "2023-03-01"), "jan": ("2023-03-31", "2023-04-01")}
    asked = [(who, day) for who, each in days.items() for day in each]
    found = [[name for (name,) in connection.execute(query, (who, day, day))] for who, day in asked]
    assert found == [["Finanse"], ["Finanse"], ["IT"], ["Zakupy"], []]


def test_headcount_counts_people_in_the_department_of_the_time(connection: psycopg.Connection) -> None:
    counted = f"select month, department, headcount, departed from ({mart('headcount', temporary)}) as h"  # noqa: S608 - our own
    rows = connection.execute(counted).fetchall()
    by_month = {month: {name: (count, left) for day, name, count, left in rows if day == month} for month, *_ in rows}
    assert by_month[date(2023, 2, 1)] == {"Finanse": (1, 0), "Zakupy": (1, 0), "IT": (1, 0)}
    assert by_month[date(2023, 3, 1)] == {"IT": (2, 0), "Zakupy": (0, 1)}
