"""All entities of the catalogue through the real dbt and the real gate, and the marts on top of them."""

from __future__ import annotations

import psycopg
from psycopg import sql

from onefold.settings import ROOT
from tests.conform.landed import CATALOG
from tests.conform.published import DBT, Published
from tests.docs.pages import blocks
from tests.roles import as_role


def test_every_entity_is_built_judged_and_published_and_the_marts_can_be_asked_and_say_what_they_mean(
    published: Published,
) -> None:
    assert {each.entity for each in published.report.entities} == set(CATALOG.entities)
    assert published.report.refused == {}
    for mart in (path.stem for path in (DBT / "models" / "marts").glob("*.sql")):
        count = sql.SQL("select count(*) from {}").format(sql.Identifier("marts", mart))
        assert published.connection.execute(count).fetchone() is not None
    assert _without_comment(published.connection) == []
    with psycopg.connect(as_role(published.url, "onefold_auditor")) as auditor:
        auditor.execute("select * from marts.receivables")


def test_the_twenty_questions_of_analysts_have_answers(published: Published) -> None:
    pages = [ROOT / "docs" / name for name in ("for-analysts.md", "for-analysts-records.md")]
    asked = [block for page in pages for block in blocks(page, "sql")]
    assert len(asked) == 20
    with psycopg.connect(as_role(published.url, "onefold_analyst"), autocommit=True) as analyst:
        answers = {block.where: len(analyst.execute(block.text.encode()).fetchall()) for block in asked}
    assert sum(rows > 0 for rows in answers.values()) > 10, answers


def _without_comment(connection: psycopg.Connection) -> list[str]:
    """The tables, views and columns of conformed and marts of which the database does not say what they mean."""
    rows = connection.execute(
        "select c.oid::regclass || coalesce('.' || attname, '') from pg_class as c"
        " cross join lateral (select 0 as attnum, null::name as attname union all"
        " select a.attnum, a.attname from pg_attribute as a"
        " where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) as part"
        " where c.relnamespace in ('conformed'::regnamespace, 'marts'::regnamespace) and c.relkind in ('r', 'v')"
        " and coalesce(case attnum when 0 then obj_description(c.oid, 'pg_class')"
        " else col_description(c.oid, attnum) end, '') = '' order by 1"
    ).fetchall()
    return [name for (name,) in rows]
