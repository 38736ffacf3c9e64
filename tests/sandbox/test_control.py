"""The door for tests: advance, truth, statistics, reset, and what bad input gets."""

import stat
from pathlib import Path

import pytest
import requests

from sandbox.process import Sandbox, running


def test_only_the_token_opens_the_truth(unharmed: Sandbox) -> None:
    url = f"{unharmed.url}/control/truth"
    assert requests.get(url, timeout=30).status_code == 403
    assert requests.get(url, headers={"X-Truth-Token": "guess"}, timeout=30).status_code == 403
    truth = unharmed.truth()
    assert truth["companies"] == 200
    assert {row["stream"] for row in truth["records"]} >= {"account", "business_partner", "extract", "entity"}


def test_an_unset_token_is_written_for_its_owner_only(tmp_path: Path) -> None:
    with running(tmp_path, 10, environment={"SANDBOX_TRUTH_TOKEN": ""}) as sandbox:
        file = tmp_path / "truth-token"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        headers = {"X-Truth-Token": file.read_text()}
        assert requests.get(f"{sandbox.url}/control/truth", headers=headers, timeout=30).ok


@pytest.mark.parametrize(
    ("path", "body", "named"),
    [
        ("advance", {"changes": -1}, "changes"),
        ("advance", {"change": 1}, "changes, deletions, new"),
        ("advance", {"changes": 5000}, "at most half"),
        ("faults", {"system": "sap", "kind": "earthquake"}, "cut_body"),
        ("faults", {"system": "atlantis", "kind": "html"}, "salesforce"),
        ("faults", {"system": "sap", "kind": "status"}, "needs code"),
        ("faults", {"system": "sap", "kind": "html", "code": 500}, "has no code"),
        ("faults", {"system": "sap", "kind": "html", "times": 0}, "until cleared"),
        ("faults", {"system": "sap", "kind": "retype_field", "field": "a", "to": "date"}, "object"),
    ],
)
def test_invalid_input_is_told_what_is_wrong_and_what_is_allowed(
    unharmed: Sandbox, path: str, body: dict[str, object], named: str
) -> None:
    response = requests.post(f"{unharmed.url}/control/{path}", json=body, timeout=30)
    assert response.status_code == 422
    assert named in response.text


def test_a_killed_sandbox_comes_back_with_the_same_truth(tmp_path: Path) -> None:
    with running(tmp_path, 100) as first:
        first.control("advance", changes=10, deletions=3, new=4)
        before = first.truth()
        first.kill()
    with running(tmp_path, 100) as second:
        assert second.truth() == before
        second.control("reset")
        assert second.truth()["companies"] == 100
    with running(tmp_path, 100) as third:
        assert third.truth()["companies"] == 100


def test_statistics_count_answers_by_system_and_status(unharmed: Sandbox) -> None:
    def refused() -> int:
        stats = requests.get(f"{unharmed.url}/control/stats", timeout=30).json()
        return stats["sap"]["statuses"].get("401", 0)

    before = refused()
    url = f"{unharmed.url}/sap/opu/odata/sap/API_BUSINESS_PARTNER/A_BusinessPartner"
    requests.get(url, timeout=30)
    assert refused() == before + 1


def test_a_sandbox_of_some_systems_holds_nothing_of_the_others(tmp_path: Path) -> None:
    with running(tmp_path, companies=20, environment={"SANDBOX_SYSTEMS": "krs"}) as sandbox:
        assert requests.get(f"{sandbox.url}/krs/api/Krs/Biuletyn/2025-01-01", timeout=10).status_code == 200
        assert requests.get(f"{sandbox.url}/nbp/api/exchangerates/tables/A", timeout=10).status_code == 404
        assert {record["system"] for record in sandbox.truth()["records"]} == {"salesforce", "sap", "krs", "regon"}


def test_a_stand_in_that_there_is_not_is_refused(tmp_path: Path) -> None:
    with (
        pytest.raises(RuntimeError, match="there is no stand-in of krz; there are: salesforce, "),
        running(tmp_path, 20, environment={"SANDBOX_SYSTEMS": "krz"}),
    ):
        pass


def test_a_customer_that_is_made_has_a_number_of_its_own_also_after_the_world_has_begun_anew(unharmed: Sandbox) -> None:
    made = [requests.post(f"{unharmed.url}/control/customer", timeout=30).json() for _ in range(2)]
    unharmed.control("reset")
    made.append(requests.post(f"{unharmed.url}/control/customer", timeout=30).json())
    assert {(each["system"], each["stream"]) for each in made} == {("salesforce", "account")}
    assert len({each["key"] for each in made}) == 3
