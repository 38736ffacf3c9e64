"""onefold audit requests: whether the requests to the register API are still those that the audit chain says."""

from __future__ import annotations

import click
import psycopg

_BATCHES = "select count(*), coalesce(sum((payload ->> 'requests')::bigint), 0) from audit.event where action = %s"


@click.command("requests", epilog="Example: onefold audit requests")
def requests_command() -> None:
    """Compute the hashes over the recorded requests anew, and compare them with the chain's (check it with verify).

    Exits 1 and names the batches, by their last request, whose rows were changed, added or taken away.
    """
    from onefold.errors import Fatal
    from onefold.platform.warehouse import connect_as

    try:
        with connect_as("auditor") as connection:
            altered = [number for (number,) in connection.execute("select ops.altered_api_requests()")]
            batches, requests = connection.execute(_BATCHES, ("api.requests",)).fetchone() or (0, 0)
    except psycopg.Error as error:
        raise Fatal(f"The warehouse cannot compare requests (SQLSTATE {error.sqlstate}).") from None
    if altered:
        named = ", ".join(str(number) for number in altered[:10])
        raise Fatal(
            f"{len(altered)} of {batches:,} batches of requests are not what the audit chain says; the first end with "
            f"request {named}. Look into ops.api_request and who may write to it; do not repair it: it is evidence."
        )
    click.echo(f"{requests:,} requests in {batches:,} batches are those that the audit chain says.")
