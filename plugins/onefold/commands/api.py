"""onefold api: the register API."""

from __future__ import annotations

import click


@click.command(epilog="Example: onefold api --port 8096")
@click.option("--host", default="127.0.0.1", show_default=True, help="Where to listen.")
@click.option("--port", default=8096, show_default=True, envvar="ONEFOLD_API_PORT", show_envvar=True)
def api(host: str, port: int) -> None:
    """Answer what is known of companies (KRS, CRBR, REGON, VIES, the list of VAT payers), until it is stopped.

    Keys are made with onefold api-key; the documentation is at /docs.

    It listens without TLS, on this machine only: let a reverse proxy with a certificate stand before it.
    """
    import uvicorn

    from onefold.catalog.reader import read_catalog
    from onefold.commands.endpoints import endpoint_of
    from onefold.platform.warehouse import api_urls
    from onefold.serve.app import Setup, application
    from onefold.serve.setting import realm, signing

    url, writer_url = api_urls()
    app = application(Setup(read_catalog(), url, writer_url, endpoint_of, realm(), signing()))
    click.echo(f"http://{host}:{port}/docs")
    uvicorn.run(
        app, host=host, port=port, log_level="warning", access_log=False, server_header=False, proxy_headers=False,
        limit_concurrency=2000, timeout_graceful_shutdown=10,
    )  # fmt: skip
