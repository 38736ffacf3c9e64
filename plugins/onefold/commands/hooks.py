"""onefold hooks: the service that receives webhooks."""

from __future__ import annotations

import click


@click.command(epilog="Example: onefold hooks --port 8095")
@click.option("--host", default="127.0.0.1", show_default=True, help="Where to listen.")
@click.option("--port", default=8095, show_default=True, envvar="ONEFOLD_HOOKS_PORT", show_envvar=True)
def hooks(host: str, port: int) -> None:
    """Receive webhooks at /hooks/SYSTEM/STREAM for each stream with a webhook, until it is stopped.

    Streams and secrets are read anew within a minute, and when a request does not fit them.

    It listens without TLS, on this machine only: let a reverse proxy with a certificate stand before it.
    """
    import uvicorn

    from onefold.catalog.reader import read_catalog
    from onefold.commands.endpoints import endpoint_of
    from onefold.errors import Fatal
    from onefold.platform.warehouse import receiver_url
    from onefold.receive.hooks import Hooks, hooks_of
    from onefold.receive.service import application

    def read_hooks() -> Hooks:
        return hooks_of(read_catalog().systems.values(), endpoint_of)

    found = read_hooks()
    if not found:
        raise Fatal("No stream of the catalogue has a webhook: there is nothing to receive (docs/webhooks.md).")
    app = application(read_hooks, receiver_url())
    for (system, stream), hook in sorted(found.items()):
        problem = f"  accepts nothing yet: {hook.problem}" if hook.problem else ""
        click.echo(f"http://{host}:{port}/hooks/{system}/{stream}{problem}")
    uvicorn.run(
        app, host=host, port=port, log_level="warning", access_log=False, server_header=False, proxy_headers=False,
        limit_concurrency=1000, timeout_graceful_shutdown=10,
    )  # fmt: skip
