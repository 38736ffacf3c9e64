"""People sign in to the real Airflow at a real OpenID provider, in a real browser: who gets in, and what they may."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import jwt
import pytest
import requests

from onefold.console.views import PREFIX
from onefold.orchestration.oidc.provider import TOKEN_SECONDS
from onefold.platform.postgres import free_port
from tests.browser import browser, browser_cache
from tests.peers.node import Node
from tests.peers.realm import Realm, Visitor, program, realm_of, visiting
from tests.scheduler.installation import Installation, wait_for

if TYPE_CHECKING:
    from playwright.sync_api import Browser

__all__ = ["browser", "browser_cache"]
pytestmark = [pytest.mark.peers, pytest.mark.timeout(1800)]
RUNS = "dags/retention/dagRuns"


UI_PORT = free_port()


@pytest.fixture(scope="module")
def realm(node: Node, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Realm]:
    with realm_of(node, tmp_path_factory.mktemp("realm") / "oidc", UI_PORT) as realm:
        yield realm


@pytest.fixture(scope="module")
def here(realm: Realm) -> Iterator[Installation]:
    """An installation that is told of the provider by settings alone."""
    here = Installation(ui_port=UI_PORT, more={"ONEFOLD_OIDC_ISSUER": realm.url}, program=program())
    try:
        here.run("up", "--no-sandbox")  # which gives up after five minutes; the next one waits on
        assert realm.url in here.succeed("up", "--no-sandbox")
        yield here
    finally:
        here.remove()


@pytest.fixture
def visitor(browser: Browser, here: Installation) -> Iterator[Visitor]:
    with visiting(browser, here) as visitor:
        yield visitor


def may_start(visitor: Visitor) -> int:
    """The status with which Airflow answers somebody who starts a run."""
    return visitor.asks("POST", RUNS, {"logical_date": None, "conf": {}}).status


def started_with(here: Installation, token: str) -> int:
    """The same, of whoever has this token."""
    url, body = f"http://127.0.0.1:{here.ui_port}/api/v2/{RUNS}", {"logical_date": None, "conf": {}}
    return requests.post(url, json=body, headers={"Authorization": f"Bearer {token}"}, timeout=60).status_code


def refused(visitor: Visitor) -> str:
    """What a person reads who is not let in."""
    visitor.page.get_by_role("heading", name="Not signed in").wait_for()
    assert visitor.token() is None
    return visitor.page.inner_text("p")


def test_an_engineer_gets_in_and_starts_a_run_in_the_name_of_issuer_and_subject(
    realm: Realm, here: Installation, visitor: Visitor
) -> None:
    realm.has("s-engineer", ["engineer"], given="Anna", family="Kowalska")
    visitor.signs_in("s-engineer")
    visitor.page.get_by_role("heading", name="Dags").first.wait_for()
    wait_for(lambda: visitor.asks("GET", "dags/retention").status == 200, "the DAG")
    answer = visitor.asks("POST", RUNS, {"logical_date": None, "conf": {}})
    assert (answer.status, answer.json()["triggering_user_name"]) == (200, realm.account("s-engineer"))
    claims = jwt.decode(str(visitor.token()), options={"verify_signature": False})
    assert claims["exp"] - claims["iat"] <= TOKEN_SECONDS == 900
    logs = "".join(path.read_text(errors="replace") for path in (here.home / "logs").glob("*.log"))
    assert "Kowalska" not in logs and "kowalska" not in logs


def test_an_auditor_reads_and_starts_nothing(realm: Realm, visitor: Visitor) -> None:
    realm.has("s-auditor", ["auditor"])
    visitor.signs_in("s-auditor")
    visitor.page.get_by_role("heading", name="Dags").first.wait_for()
    assert visitor.asks("GET", RUNS).status == 200
    assert (may_start(visitor), visitor.asks("GET", "connections").status) == (403, 403)
    assert visitor.page.goto(f"{PREFIX}/operations").status == 200


@pytest.mark.parametrize(
    ("groups", "why"), [([], "in no group"), (["pii"], "in no group"), (["engineer", "approver"], "one duty")]
)
def test_a_person_without_a_group_or_with_two_duties_is_refused_and_told_why(
    realm: Realm, visitor: Visitor, groups: list[str], why: str
) -> None:
    subject = f"s-{len(groups)}{''.join(groups)}"
    realm.has(subject, groups)
    visitor.signs_in(subject)
    assert why in refused(visitor)
    assert visitor.asks("GET", "dags").status == 401


def test_a_change_of_group_counts_from_the_next_token_on_and_one_who_is_out_loses_the_old_one_too(
    realm: Realm, here: Installation, visitor: Visitor
) -> None:
    realm.has("s-moves", ["analyst"])
    visitor.signs_in("s-moves")
    visitor.page.get_by_role("heading", name="Dags").first.wait_for()
    assert may_start(visitor) == 403
    realm.has("s-moves", ["engineer"])
    visitor.comes_back()
    visitor.page.get_by_role("heading", name="Dags").first.wait_for()
    assert may_start(visitor) == 200
    old = str(visitor.token())
    assert started_with(here, old) == 200
    realm.has("s-moves", [])
    visitor.comes_back()
    assert "in no group" in refused(visitor)
    assert started_with(here, old) == 403


def test_the_sign_in_needs_its_own_browser_and_state_and_no_page_of_fab_but_it_is_there(
    realm: Realm, here: Installation, visitor: Visitor
) -> None:
    ui = f"http://127.0.0.1:{here.ui_port}/auth"
    sent = requests.get(f"{ui}/login/", allow_redirects=False, timeout=60).headers["Location"]
    assert "code_challenge_method=S256" in sent and sent.startswith(realm.url)
    stolen = requests.get(f"{ui}/oauth-authorized/realm?code=x&state=y", allow_redirects=False, timeout=60)
    assert (stolen.headers["Location"], "_token" in stolen.cookies) == (f"{ui}/login/?again", False)
    realm.has("s-elsewhere", ["engineer"])
    visitor.signs_in("s-elsewhere", opens="/api/v2/auth/login?next=/dags")
    visitor.page.get_by_role("heading", name="Dags").first.wait_for()
    for page in ("users/list/", "roles/list/", "fab/v1/users", "api/v1/security/login", "register/form"):
        assert visitor.page.request.get(f"{ui}/{page}").status in (404, 405), page
    password = {"username": realm.account("s-elsewhere"), "password": "any"}
    assert requests.post(f"{ui}/token", json=password, timeout=60).status_code == 401
    forged = jwt.encode({"iss": realm.url, "sub": "s-elsewhere", "aud": "onefold"}, "0" * 64, algorithm="HS256")
    assert requests.post(f"{ui}/token", json={"id_token": forged}, timeout=60).status_code == 400


def test_the_command_line_signs_in_by_a_code_and_its_person_approves_nothing_of_theirs_under_another_name(
    realm: Realm, here: Installation, visitor: Visitor, browser: Browser, tmp_path: Path
) -> None:
    realm.has("s-two-hats", ["engineer"])
    login = here.start("login")
    line = str(login.stdout.readline())
    visitor.page.goto(re.search(r"http://\S+", line)[0])
    visitor.page.locator("button[type=submit]").first.click()
    visitor.signs_in("s-two-hats", opens=visitor.page.url)
    output, errors = login.communicate(timeout=120)
    assert f"Signed in as {realm.account('s-two-hats')}" in output, errors
    case = tmp_path / "case"
    case.touch(mode=0o600)
    case.write_text("email nobody@firma.example.pl\n")
    run = json.loads(here.succeed("erase", "--file", str(case), "--basis", "request 1", "--json"))["run_id"]
    asked = f"dags/erase/dagRuns/{run}/taskInstances/approve/-1/hitlDetails"

    realm.has("s-two-hats", ["approver"], given="Zofia", family="Inna")  # married, moved to another team
    with visiting(browser, here) as same, visiting(browser, here) as other:
        same.signs_in("s-two-hats")
        same.page.get_by_role("heading", name="Dags").first.wait_for()
        wait_for(lambda: same.asks("GET", asked).status == 200, "the question", every=1)
        (approve,) = [each for each in same.asks("GET", asked).json()["options"] if each.startswith("Approve")]
        answer = same.asks("PATCH", asked, {"chosen_options": [approve]})
        assert (answer.status, "somebody else" in answer.text()) == (403, True)
        realm.has("s-approver", ["approver"], given="Zofia", family="Inna")
        other.signs_in("s-approver")
        other.page.get_by_role("heading", name="Dags").first.wait_for()
        assert other.asks("PATCH", asked, {"chosen_options": [approve]}).status == 200
    (decision,) = here.rows("select requested_by, decided_by from ops.approval where run_id = %s", run)
    people = [f"airflow:{realm.account(each)}" for each in ("s-two-hats", "s-approver")]
    assert [decision["requested_by"], decision["decided_by"]] == people
