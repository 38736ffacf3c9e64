"""What is held back, as status, the demo and others show it."""

from __future__ import annotations

import psycopg

from onefold.commands.report_text import entity_lines, held_back_lines
from onefold.insight.entities import entity_statuses
from onefold.insight.held_back import held_back, refused_entities


def test_what_is_held_back_is_counted_by_entity_and_reason_and_a_refused_entity_is_named(loader: psycopg.Connection):
    report = (
        '{"entities": [{"entity": "order", "golden": 97, "by_sources": {"1": 97}, "held_back": 3, "warnings": 2}],'
        ' "refused": {"invoice": "invoice: too many"}}'
    )
    loader.execute(
        "insert into ops.publish (state, actor, mappings, report, started_at)"
        " values ('published', 'a', '{}', %s, '2026-03-01 08:00Z')",
        (report,),
    )
    loader.execute("insert into ops.published (entity, publish_id, actor) values ('order', 1, 'a')")
    for n, (published, reason) in enumerate([(True, "no day"), (False, "no day"), (False, "no currency")]):
        loader.execute(
            "insert into ops.held_back (entity, golden_id, publish_id, since_publish_id, published, expectations,"
            " reason, suite, records) values ('order', %s, 1, 1, %s, '{}', %s, '', '{}')",
            (f"00000000-0000-0000-0000-00000000000{n}", published, reason),
        )
    assert [(each.reason, each.golden_records, each.published) for each in held_back(loader)] == [
        ("no day", 2, 1),
        ("no currency", 1, 0),
    ]
    since, golden = "Held back since 2026-03-01 08:00 UTC:", "00000000-0000-0000-0000-00000000000"
    assert held_back_lines(held_back(loader), refused_entities(loader)) == [
        "Left out of the last publish: invoice: too many",
        f"{since} 2 of order (1 at an earlier state, 1 unpublished): no day. One of them: {golden}0",
        f"{since} 1 of order (0 at an earlier state, 1 unpublished): no currency. One of them: {golden}2",
    ]
    assert entity_lines(entity_statuses(loader)) == [
        "conformed.order: 97 golden records (97 from 1 system), 3 held back (3.00%), 2 with a warning"
    ]
