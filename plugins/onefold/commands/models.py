"""The language models of this installation, for the commands that may ask one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from onefold.llm.router import Router

WITHOUT_MODEL = click.option(
    "--without-model", is_flag=True, help="Ask no language model, though ONEFOLD_LLM names one."
)


@contextmanager
def router() -> Iterator[Router]:
    """Asks the models that ONEFOLD_LLM names. Raises Fatal when a setting is missing or wrong."""
    from onefold.audit import actor
    from onefold.commands.endpoints import endpoint_of
    from onefold.http.limit import WarehouseLimiter
    from onefold.llm.configuration import llm_setting
    from onefold.llm.ledger import CallLedger
    from onefold.llm.provider import Provider
    from onefold.llm.router import Router
    from onefold.platform.warehouse import connect_as, url_as

    setting = llm_setting(endpoint_of)
    with ExitStack() as stack:
        connection = stack.enter_context(connect_as("loader", autocommit=True))
        limiter = stack.enter_context(closing(WarehouseLimiter(url_as("loader"))))
        providers = [stack.enter_context(closing(Provider(each, limiter=limiter))) for each in setting.providers]
        yield Router(connection, CallLedger(connection, setting.budget, actor()), providers)
