"""What the demo says of the services beside Airflow: a line for each that works when it is typed."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg

from onefold.audit import actor
from onefold.serve.keys import create_key, keys, revoke_key
from onefold.settings import Settings

CLIENT = "demo"


def service_lines(here: Settings, warehouse: psycopg.Connection) -> Iterator[str]:
    """A question to the register API, with a key of the demo's own (an earlier one ends), and one to the webhooks'
    service. `warehouse` is the superuser's."""
    for key in keys(warehouse):
        if key.client == CLIENT and key.revoked_at is None:
            revoke_key(warehouse, key.key_id, actor=actor())
    made = create_key(warehouse, CLIENT, ["companies"], 20, 100_000, 30, actor=actor())
    # It names nobody: of a sole trader the number is a personal one.
    yield f'Ask the API: curl -H "X-API-Key: {made}" "{here.api_url}/v1/companies?status=active&limit=3"'
    yield f"Webhooks:    curl {here.hooks_url}/health"
