"""Companies that are published, as a conform run leaves them, and the registers that know them and others."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

import psycopg
from psycopg import sql

from onefold.catalog.reader import read_catalog
from sandbox.world import Company, World

CATALOG = read_catalog()
NAMESPACE = uuid.UUID("6f1d0c5e-3b1a-4a52-9d9e-0a2f8c6d1e00")


def golden(company: Company) -> dict[str, object]:
    """A company of the sandbox's world, as it is published."""
    return {
        "company_id": uuid.uuid5(NAMESPACE, company.nip),
        "legal_name": company.name.replace("Spółka z ograniczoną odpowiedzialnością", "Sp. z o.o."),
        "tax_id_pl": company.nip,
        "regon": company.regon,
        "krs": company.krs,
        "eu_vat": f"PL{company.nip}",
        "legal_form": "Sp. z o.o." if company.form == "sp_zoo" else None,
        "status": "active",
        "town": company.city,
        "postal_code": company.postal_code,
        "main_activity": "62.10.B",
        "vat_status": "active",
        "bank_accounts": "11101000000000000000000001",
        "source_of_truth": "krs",
        "_systems": ["krs", "regon"] if company.krs else ["regon"],
    }


def publish(url: str, companies: Iterable[Mapping[str, object]], at: datetime | None = None) -> int:
    """Publish these as the newest versions of their golden records; as the superuser."""
    with psycopg.connect(url) as owner:
        (publish_id,) = owner.execute(
            "insert into ops.publish (state, actor, mappings, ended_at) values ('published', 'test', '{}', %s)"
            " returning publish_id",
            (at or datetime.now(UTC),),
        ).fetchone()
        for each in companies:
            owner.execute(
                "update conformed.company_version set _ended_publish_id = %s where company_id = %s"
                " and _ended_publish_id is null",
                (publish_id, each["company_id"]),
            )
            row = {
                "_records": 1, "_members": ["krs|extract|1"], "_loads": [1], "_mapping_versions": [1],
                "_winning_members": [1], "_hash": b"1", **each, "_publish_id": publish_id,
            }  # fmt: skip
            columns = sql.SQL(", ").join(map(sql.Identifier, row))
            values = sql.SQL(", ").join(sql.Placeholder() * len(row))
            owner.execute(
                sql.SQL("insert into conformed.company_version ({}) values ({})").format(columns, values),
                list(row.values()),
            )
        owner.execute(
            "insert into ops.published (entity, publish_id, actor) values ('company', %s, 'test')"
            " on conflict (entity) do update set publish_id = excluded.publish_id",
            (publish_id,),
        )
    return int(publish_id)


def answered(url: str, world: World, ago: timedelta = timedelta(hours=1)) -> None:
    """What the look-ups of last night's loads have left: each register has answered about each company."""
    at = datetime.now(UTC) - ago
    rows = [
        (system, stream, key)
        for company in world.companies
        for system, stream, key in (("krs", "extract", company.krs), ("regon", "entity", company.nip))
        if key
    ]
    with psycopg.connect(url) as owner:
        owner.execute("alter table ops.lookup_cache disable trigger all")
        owner.cursor().executemany(
            "insert into ops.lookup_cache (system, stream, lookup_key, outcome, answered_at, load_id)"
            " values (%s, %s, %s, 'found', %s, 1) on conflict (system, stream, lookup_key)"
            " do update set answered_at = excluded.answered_at",
            [(*row, at) for row in rows],
        )
