"""What nobody foresaw reaches a task's log without its text."""

from __future__ import annotations

import traceback
from collections.abc import Callable

import pytest

from onefold.orchestration.tasks.errors import UnexpectedError, airflow_errors


@pytest.mark.parametrize("fail", [lambda: int("44051401359 Kowalski"), lambda: {}["Kowalski"], b"Kowalski \xff".decode])
def test_an_error_that_nobody_foresaw_is_told_by_its_kind_and_place_without_its_text(
    fail: Callable[[], object], caplog: pytest.LogCaptureFixture
):
    kind = r"(ValueError|KeyError|UnicodeDecodeError), .*test_unexpected_errors\.py:"
    with pytest.raises(UnexpectedError, match=kind) as raised, airflow_errors():
        fail()
    shown = "".join(traceback.format_exception(raised.value)) + caplog.text
    assert "Kowalski" not in shown.replace('lambda: int("44051401359 Kowalski")', "").replace('{}["Kowalski"]', "")
