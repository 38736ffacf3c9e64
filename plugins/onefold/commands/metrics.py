"""onefold metrics: what Prometheus scrapes."""

from __future__ import annotations

import click

from onefold.errors import Fatal


@click.command(epilog="Example: onefold metrics --port 8097")
@click.option("--host", default="127.0.0.1", show_default=True, help="Where to listen.")
@click.option("--port", default=8097, show_default=True, envvar="ONEFOLD_METRICS_PORT", show_envvar=True)
@click.option("--once", is_flag=True, help="Print the metrics as they are now, and end.")
def metrics(host: str, port: int, once: bool) -> None:
    """Serve /metrics for Prometheus, from the ledger, until it is stopped.

    With ONEFOLD_METRICS_TOKEN (or ONEFOLD_METRICS_TOKEN_FILE) set, a scrape must send it as its bearer token; without,
    it listens on this machine only. It listens without TLS: let a reverse proxy with a certificate stand before it.
    """
    import uvicorn

    from onefold.catalog.reader import read_systems
    from onefold.metrics.ledger import read_metrics
    from onefold.metrics.service import application
    from onefold.metrics.text import exposition
    from onefold.platform.warehouse import metrics_url
    from onefold.settings import METRICS_TOKEN, secret
    from onefold.warehouse.connection import connect

    def read() -> str:
        with connect(metrics_url()) as connection:
            return exposition(read_metrics(connection, read_systems()))

    if once:
        click.echo(read(), nl=False)
        return
    token = secret(METRICS_TOKEN)
    if token is None and host not in ("127.0.0.1", "::1", "localhost"):
        raise Fatal(
            f"Whoever reaches {host} could read the metrics. Set ONEFOLD_METRICS_TOKEN to a long random text, or leave "
            "--host out to listen on this machine only."
        )
    click.echo(f"http://{host}:{port}/metrics")
    uvicorn.run(
        application(read, token), host=host, port=port, log_level="warning", access_log=False, server_header=False,
        proxy_headers=False, limit_concurrency=20, timeout_graceful_shutdown=10,
    )  # fmt: skip
