"""What is not audited is said, and never passes as sound."""

from __future__ import annotations

from datetime import date

import pytest

from requirements.audit import PROBE, Report, Vulnerability, accepted, audit, pip_audit, read_report
from requirements.inventory import summary

VULNERABLE = Report(200, (), (Vulnerability("click", "8.0", "CVE-2026-1", ("8.1",)),))
NO_DATA = {"dependencies": [{"name": "uv", "skip_reason": "Dependency not found on PyPI and could not be audited"}]}


def test_a_source_that_answers_and_knows_nothing_has_not_audited() -> None:
    """An index without such data: pip-audit itself says "No known vulnerabilities found" and exits with 0."""
    asked = []

    def ask(source: str, file: str) -> Report | str:
        asked.append((source, file))
        return "cannot be reached" if source == "osv" else read_report(NO_DATA)

    code, said = audit(ask, set())
    assert code == 0 and said[0].startswith("NOT AUDITED")
    assert said[1:] == ["osv: cannot be reached", "pypi: answers, but has no such data"]
    assert asked == [("osv", PROBE), ("pypi", PROBE)], "it is not asked about every package then"


def test_a_vulnerability_fails_unless_somebody_has_accepted_it() -> None:
    code, said = audit(lambda source, file: VULNERABLE, set())
    assert code == 1 and "  click 8.0: CVE-2026-1, fixed in 8.1" in said
    assert audit(lambda source, file: VULNERABLE, {"CVE-2026-1"})[0] == 0


def test_packages_that_the_source_does_not_know_are_named() -> None:
    code, said = audit(lambda source, file: Report(199, ("ours",), ()), set())
    assert code == 0 and any(line.startswith("NOT AUDITED") and line.endswith("ours") for line in said)


def test_an_acceptance_ends_on_its_day_and_needs_a_reason() -> None:
    text = "# why\nCVE-2026-1 2026-12-31 only in a server\nCVE-2026-2 2026-01-01 looked at\n"
    assert accepted(text, date(2026, 6, 1)) == {"CVE-2026-1"}
    with pytest.raises(ValueError, match="needs an id, a day and a reason"):
        accepted("CVE-2026-1 2026-12-31", date(2026, 6, 1))


def test_a_tool_that_is_not_there_or_fails_is_a_reason_and_no_report(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("requirements.audit.subprocess.run", lambda *_, **__: Failed())
    assert pip_audit("osv", PROBE) == "ConnectionError: no such host"


class Failed:
    stdout, stderr, returncode = "", "Traceback\nConnectionError: no such host", 1


def test_the_inventory_counts_licences_and_names_packages_without_one() -> None:
    licences = [
        {"Name": "one", "License": "MIT"},
        {"Name": "two", "License": "MIT"},
        {"Name": "three", "License": "UNKNOWN"},
    ]
    said = summary({"components": [1, 2, 3], "specVersion": "1.6"}, licences)
    assert "    2  MIT" in said and said[-1] == "Without a licence in their metadata: three"
