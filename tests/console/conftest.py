"""The console's pages, asked as somebody with a duty, over a fresh warehouse."""

from __future__ import annotations

from typing import Protocol

import pytest
from fastapi.testclient import TestClient
from starlette.requests import Request

from onefold.console.app import console_app
from onefold.console.viewer import Viewer
from onefold.orchestration.duties import Duty
from onefold.settings import CONSOLE_URL
from tests.console.airflow import airflow
from tests.load.conftest import shop
from tests.roles import as_role

__all__ = ["airflow", "shop"]


class Ask(Protocol):
    def __call__(self, duty: Duty | None, *, reads_people: bool = False) -> TestClient:
        """A browser of somebody with this duty; None: nobody has signed in. `reads_people`: the duty is …+pii."""
        ...


SAME_SITE = {"Sec-Fetch-Site": "same-origin"}
"""What browsers send along from our own page."""


@pytest.fixture
def console(warehouse_url: str, monkeypatch: pytest.MonkeyPatch) -> Ask:
    monkeypatch.setenv(CONSOLE_URL, as_role(warehouse_url, "onefold_console"))

    def ask(duty: Duty | None, *, reads_people: bool = False) -> TestClient:
        async def who(_: Request) -> Viewer | None:
            return None if duty is None else Viewer("ewa.nowa", duty, "a token", reads_people)

        return TestClient(console_app(who), follow_redirects=False)

    return ask
