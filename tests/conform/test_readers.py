"""Analysts while a large set is being published: they never wait, and never see a mixture of two publishes."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Event

import psycopg
from psycopg import sql

from tests.conform.world import World
from tests.roles import as_role

COMPANIES = 3_000
RECORDS = ("crm|account", "erp|partner", "court|extract")
_IMPATIENT = "-c lock_timeout=1ms -c statement_timeout=30s"
_ASK = """
select count(*), array_agg(distinct legal_name), array_agg(distinct record_count),
    (select count(*) from conformed.partner_crosswalk join conformed.partner using (partner_id))
from conformed.partner"""


def test_analysts_never_wait_and_never_see_a_mixture_while_a_large_set_is_published(world: World, warehouse_url: str):
    """An analyst's process asks all the while, with a lock_timeout that no wait would survive.

    Each publish changes every golden record, and joins or parts its records: an answer with two names, or with a count
    of another round, would be a mixture. The first publish counts too: nothing, or all of it.
    """
    with _analyst(as_role(warehouse_url, "onefold_analyst")) as answers:
        for number in range(4):
            _load(world, number)
            world.conform()
    sets = {_what_round(number) for number in range(4)}
    nothing = (0, None, None, 0)
    assert set(answers) <= {nothing, *sets}, set(answers) - {nothing, *sets}
    assert len(set(answers) & sets) > 1, "the analyst must have seen more than one set"


def _what_round(number: int) -> tuple[int, tuple[str, ...], tuple[int, ...], int]:
    """What an analyst may see of a round: in odd ones the third record of each company stands alone."""
    golden = COMPANIES if number % 2 == 0 else 2 * COMPANIES
    counts = (3,) if number % 2 == 0 else (1, 2)
    return golden, (f"round {number}",), counts, 3 * COMPANIES


def _load(world: World, number: int) -> None:
    """Bring in a version of every record: its name says the round, its tax id whether it belongs to the others."""
    load_id = world.load([])
    for place, source in enumerate(RECORDS):
        system, stream = source.split("|")
        world.connection.execute(f"truncate mapped.{system}__partner")
        world.connection.execute(
            sql.SQL(
                "insert into {table} (_record, _system, _stream, _key, _load_id, _deleted, _extracted_at,"
                " _mapping_version, legal_name, tax_id_pl)"
                " select {source} || '|' || n, {system}, {stream}, n, {load_id}, false, now(), 1, {name}, {mark} || n"
                " from generate_series(1, {companies}) as n"
            ).format(
                table=sql.Identifier("mapped", f"{system}__partner"),
                source=sql.Literal(source),
                system=sql.Literal(system),
                stream=sql.Literal(stream),
                load_id=sql.Literal(load_id),
                name=sql.Literal(f"round {number}"),
                mark=sql.Literal("apart " if place == 2 and number % 2 else ""),
                companies=sql.Literal(COMPANIES),
            )
        )


@contextmanager
def _analyst(url: str) -> Iterator[list[tuple[object, ...]]]:
    """A process that asks until the block ends; its answers are in the list then. Fails when something stopped it."""
    spawn = multiprocessing.get_context("spawn")
    done = spawn.Event()
    ours, theirs = spawn.Pipe()
    reader = spawn.Process(target=_read, args=(url, done, theirs))
    reader.start()
    answers: list[tuple[object, ...]] = []
    try:
        assert ours.recv() == "asking"
        yield answers
    finally:
        done.set()
        failure, seen = ours.recv()
        reader.join()
    assert failure is None, failure
    answers += seen


def _read(url: str, done: Event, parent: Connection) -> None:
    seen: dict[tuple[object, ...], None] = {}
    failure = None
    try:
        with psycopg.connect(
            url, autocommit=True, options="-c lock_timeout=1ms -c statement_timeout=30s"
        ) as connection:
            parent.send("asking")
            while not done.is_set():
                count, names, counts, records = connection.execute(_ASK).fetchone()
                seen[count, names and tuple(names), counts and tuple(counts), records] = None
    except psycopg.Error as error:
        failure = str(error)
    parent.send((failure, list(seen)))
