"""Migrations 0150 and 0200: what accounting files brought before their keys grew has the new key, with its history."""

from __future__ import annotations

import psycopg
from psycopg.types.json import Jsonb

from onefold.catalog.reader import read_catalog
from onefold.load.staging import ensure_all_staging
from onefold.warehouse.migration_files import FOLDER

MIGRATION = (FOLDER / "0150_accounting_keys.sql").read_text("utf-8")
IN_QUARANTINE = (FOLDER / "0200_accounting_keys_in_quarantine.sql").read_text("utf-8")


def test_rows_that_were_loaded_keep_their_history_under_the_new_key(warehouse_url: str, loader_url: str) -> None:
    ensure_all_staging(loader_url, read_catalog())
    with psycopg.connect(warehouse_url, autocommit=True) as owner:
        for load_id, amount in enumerate((700, 300), start=1):
            payload = {"nr_dowodu": 'KP/"ł"', "nip_dostawcy": "", "konto": "401-01", "mpk": "IT", "netto": amount}
            owner.execute(
                "insert into staging.accounting__account_entry values ('KP/\"ł\"', '', %s, '2026', false, %s, now())",
                (Jsonb(payload), load_id),
            )
        owner.execute(
            "insert into staging.accounting__jpk_invoice values ('1/2026', '', %s, '2026', false, 1, now())",
            (Jsonb({"P_2A": "1/2026", "P_4B": "5252248481", "RodzajFaktury": "VAT"}),),
        )
        owner.execute(
            "insert into conformed.invoice_crosswalk_version (record, system, stream, key, invoice_id, _publish_id)"
            " values ('accounting|jpk_invoice|1/2026', 'accounting', 'jpk_invoice', '1/2026', gen_random_uuid(), 1)"
        )
        owner.execute(MIGRATION.encode())
        entries = owner.execute("select _key, _payload ->> 'netto' from staging.accounting__account_entry order by 2")
        assert entries.fetchall() == [
            ('["KP/\\"ł\\"",null,"401-01","IT"]', "300"),
            ('["KP/\\"ł\\"",null,"401-01","IT"]', "700"),
        ]
        key = '["1/2026","5252248481","VAT"]'
        assert owner.execute("select _key from staging.accounting__jpk_invoice").fetchall() == [(key,)]
        crosswalk = owner.execute("select record, key from conformed.invoice_crosswalk_version")
        assert crosswalk.fetchall() == [(f"accounting|jpk_invoice|{key}", key)]


def test_a_row_that_only_ever_waited_in_quarantine_gets_the_new_key_too(warehouse_url: str) -> None:
    line = {"nr_wyciagu": "7/2026", "lp": "1", "rachunek_wlasny": "PL1", "kwota": "x"}
    with psycopg.connect(warehouse_url, autocommit=True) as owner:
        owner.execute(
            "insert into ops.load (system, stream, window_start, window_end, dag_id, run_id, actor)"
            " values ('accounting', 'bank_line', now() - interval '1 day', now(), 'd', 'r', 'a')"
        )
        for key, payload in (
            ('["7/2026","1"]', line),
            ('["7/2026","1","PL1"]', line),
            ("1/2026", {"P_2A": "1/2026", "P_4B": "", "RodzajFaktury": "VAT"}),
        ):
            owner.execute(
                "insert into ops.quarantine (load_id, system, stream, _key, _hash, payload, _extracted_at, suite,"
                " expectation, reason) select max(load_id), 'accounting', %s, %s, '', %s, now(), '', '', ''"
                " from ops.load",
                ("jpk_invoice" if "P_2A" in payload else "bank_line", key, Jsonb(payload)),
            )
        for _ in range(2):
            owner.execute(IN_QUARANTINE.encode())
        assert [key for (key,) in owner.execute("select _key from ops.quarantine order by quarantine_id")] == [
            '["7/2026","1","PL1"]',
            '["7/2026","1","PL1"]',
            '["1/2026",null,"VAT"]',
        ]
