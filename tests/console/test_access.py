"""Who sees what of the console, and what is said when a page cannot be shown."""

from __future__ import annotations

import re

import psycopg
import pytest

from onefold.console.render import FOLDER
from onefold.settings import CONSOLE_URL
from tests.console.conftest import Ask


@pytest.mark.parametrize("path", ["/", "/overview", "/none", "/static/../overview"])
def test_nobody_sees_a_page_without_having_signed_in(console: Ask, path: str) -> None:
    answer = console(None).get(path)
    assert answer.status_code == 401 and "Sign in" in answer.text and "Quarantine" not in answer.text


@pytest.mark.parametrize("path", ["/static/%2e%2e/overview", "/static/%2e%2e/app.py", "/static/none.css"])
def test_the_folder_of_scripts_gives_nothing_else(console: Ask, path: str) -> None:
    answer = console(None).get(path)
    assert answer.status_code == 404 and "import" not in answer.text and "<nav" not in answer.text


@pytest.mark.parametrize("path", ["/overview", "/none", "/overview?system=none", "/static/console.js"])
def test_every_page_runs_and_loads_only_what_comes_from_here(console: Ask, path: str) -> None:
    answer = console("engineer").get(path)
    policy = answer.headers.get("content-security-policy", "")
    assert path.startswith("/static") or ("default-src 'none'" in policy and "unsafe" not in policy)
    assert "://" not in answer.text.replace("http://testserver", "")


@pytest.mark.parametrize("path", ["/docs", "/openapi.json", "/redoc"])
def test_the_console_does_not_describe_itself(console: Ask, path: str) -> None:
    assert console("engineer").get(path).status_code == 404


def test_a_warehouse_that_is_down_is_said_on_a_page(console: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CONSOLE_URL, "postgresql://onefold_console@127.0.0.1:1/down")
    answer = console("engineer").get("/overview")
    assert answer.status_code == 503 and "bin/onefold up" in answer.text


def test_a_query_that_the_warehouse_refuses_is_in_the_log_without_its_text(
    console: Ask, warehouse_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    with psycopg.connect(warehouse_url) as owner:
        owner.execute("revoke select on ops.alert from onefold_engineer")
    answer = console("engineer").get("/overview")
    assert answer.status_code == 503 and "ops.alert" not in answer.text
    (said,) = [each.getMessage() for each in caplog.records if each.name == "onefold.console.app"]
    assert said == "/overview: InsufficientPrivilege 42501"


def test_the_console_reads_only_and_sees_no_personal_record(console: Ask, warehouse_url: str) -> None:
    from onefold.console.reading import reading

    console("engineer")
    with reading() as connection, pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        connection.execute("delete from ops.load")
    with reading() as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("select payload from ops.quarantine")


def test_the_menu_names_the_pages_that_the_viewer_may_see(console: Ask) -> None:
    for duty, more in (("analyst", False), ("auditor", True)):
        page = console(duty).get("/none").text
        assert "/overview" in page and "/records" in page and ("/audit" in page, "/operations" in page) == (more, more)


def test_no_link_or_form_says_the_servers_root_for_airflow_may_have_a_base_path() -> None:
    templates = sorted((FOLDER / "templates").glob("*.html"))
    assert len(templates) > 20
    fixed = re.compile(r"""(?:href|src|action)=["']/""")
    assert [each.name for each in templates if fixed.search(each.read_text())] == []
