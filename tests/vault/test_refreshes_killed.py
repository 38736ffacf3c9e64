"""No refresh token is lost that could be kept, whenever a worker is killed: here with a stand-in for the vault.

At length, with a server that gives grace too, and against OpenBao: tests/peers/test_openbao.py.
"""

from __future__ import annotations

import json

import psycopg

from onefold.vault import backend
from tests.http.web_server import serving
from tests.vault.refreshing import LOST, MOMENTS, Killer, refresh_until_done
from tests.vault.vault_server import VaultServer


def test_a_worker_that_is_killed_loses_no_token_that_could_be_kept(loader_url: str) -> None:
    vault = VaultServer()
    killer = Killer(60, 0.3, grace=False, vault=vault.answer)
    run_and_judge(killer, vault.settings(), loader_url, workers=4)
    assert vault.logins <= 4 + killer.kills.total()  # one a process, however often it refreshes


def run_and_judge(killer: Killer, settings: dict[str, str], warehouse_url: str, workers: int) -> None:
    with serving() as web:
        web.answer = killer.answer
        environment = {
            "AIRFLOW__SECRETS__BACKEND": backend.NAME,
            "AIRFLOW__SECRETS__BACKEND_KWARGS": json.dumps({**settings, "url": web.url}),
        }
        refresh_until_done(web.url, warehouse_url, workers, environment)
    assert killer.faults == []
    assert killer.left <= 0
    assert set(killer.kills) == set(MOMENTS)
    lost = sum(killer.kills[moment] for moment in LOST)
    newest = killer.newest or ""
    unseen = newest.startswith("refresh") and f'\\"{newest}\\"' not in killer.stored  # lost by the last kill
    assert killer.deaths == (0 if killer.grace else lost - unseen)
    with psycopg.connect(warehouse_url) as connection:
        (opened,) = connection.execute(
            "select coalesce(sum(occurrences), 0) from ops.alert where kind = 'consent'"
        ).fetchone()
    assert opened >= killer.deaths
    assert (opened > 0) == (killer.deaths > 0)
