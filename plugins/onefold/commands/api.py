"""onefold api: the register API."""

from __future__ import annotations

import click


@click.command(epilog="Example: onefold api --port 8096")
@click.option("--host", default="127.0.0.1", show_default=True, help="Where to listen.")
@click.option("--port", default=8096, show_default=True, envvar="ONEFOLD_API_PORT", show_envvar=True)
def api(host: str, port: int) -> None:
    """Answer what is known of companies (KRS, CRBR, REGON, VIES, the list of VAT payers), until it is stopped.

    Keys are made with onefold api-key; the documentation is at /docs. Metrics are at /metrics where
    ONEFOLD_METRICS_TOKEN (or ONEFOLD_METRICS_TOKEN_FILE) is set, which a scrape must send as its bearer token.

    It listens without TLS, on this machine only: let a reverse proxy with a certificate stand before it.
    """
    import uvicorn

    from onefold.catalog.reader import read_catalog
    from onefold.commands.endpoints import endpoint_of
    from onefold.metrics.answers import answer_metrics
    from onefold.metrics.service import page
    from onefold.metrics.text import exposition
    from onefold.orchestration.oidc.provider import identity_provider
    from onefold.platform.warehouse import api_urls
    from onefold.serve.answer_counts import BOUNDS
    from onefold.serve.app import Setup, application
    from onefold.serve.setting import realm, signing
    from onefold.settings import METRICS_TOKEN, secret

    url, writer_url = api_urls()
    setup = Setup(read_catalog(), url, writer_url, endpoint_of, realm(), signing(), people=identity_provider())
    app, counts = application(setup), setup.counts
    if token := secret(METRICS_TOKEN):  # who is let in to /v1 is no matter of /metrics: without a token there is none

        def read() -> str:
            return exposition(answer_metrics(counts.by_class, BOUNDS, counts.took, counts.seconds))

        app.add_route("/metrics", page(read, token), methods=["GET"])
    click.echo(f"http://{host}:{port}/docs")
    uvicorn.run(
        app, host=host, port=port, log_level="warning", access_log=False, server_header=False, proxy_headers=False,
        limit_concurrency=2000, timeout_graceful_shutdown=10,
    )  # fmt: skip
