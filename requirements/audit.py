"""`make audit-packages`: whether a known vulnerability concerns a package that is installed.

pip-audit asks OSV or PyPI. Where neither can be reached it would fail, and where an index answers but has no such data
it passes and says "No known vulnerabilities found" (it skips each package as not found). So its report is read here:
what was not looked at is always said, and never counts as sound.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = "requirements.txt"
PROBE = "requirements/setup.txt"
"""One package: a source that does not know it is not asked about hundreds."""
SOURCES = ("osv", "pypi")
SECONDS = 600


@dataclass(frozen=True, slots=True)
class Vulnerability:
    """A known vulnerability of a package that is installed; `fixed_in` names the versions without it."""

    package: str
    version: str
    id: str
    fixed_in: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """How many packages a source was able to judge, which not, and what it knows."""

    judged: int
    skipped: tuple[str, ...]
    found: tuple[Vulnerability, ...]


Ask = Callable[[str, str], Report | str]
"""(source, requirements file) → its report, or why there is none."""


def pip_audit(source: str, file: str) -> Report | str:
    """Ask a source about every package of a requirements file."""
    command = [".venv/audit/bin/pip-audit", "--vulnerability-service", source, "--require-hashes", "--disable-pip"]
    command += ["--format", "json", "--progress-spinner", "off", "--requirement", file]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return f"no answer within {SECONDS} s"
    try:
        return read_report(json.loads(done.stdout))
    except (ValueError, KeyError, TypeError):
        said = done.stderr.strip().splitlines()
        return said[-1][:300] if said else f"exit code {done.returncode} without a report"


def read_report(answer: Mapping[str, Sequence[Mapping[str, object]]]) -> Report:
    """pip-audit's JSON. Raises KeyError or TypeError when it is none."""
    judged, skipped, found = 0, [], []
    for package in answer["dependencies"]:
        name = str(package["name"])
        if "skip_reason" in package:
            skipped.append(name)
            continue
        judged += 1
        known = package["vulns"]
        if not isinstance(known, list):
            raise TypeError("vulns is no list")
        found += [
            Vulnerability(name, str(package["version"]), str(one["id"]), tuple(one["fix_versions"])) for one in known
        ]
    return Report(judged, tuple(skipped), tuple(found))


def accepted(text: str, today: date) -> set[str]:
    """The ids of accepted.txt whose day has not come. Raises ValueError for a line without a day or a reason."""
    found = set()
    for line in filter(None, (line.partition("#")[0].strip() for line in text.splitlines())):
        words = line.split(maxsplit=2)
        if len(words) < 3:
            raise ValueError(f"requirements/accepted.txt: {line!r} needs an id, a day and a reason")
        if date.fromisoformat(words[1]) >= today:
            found.add(words[0])
    return found


def audit(ask: Ask, accept: set[str]) -> tuple[int, list[str]]:
    """The exit code and what to print. 1: a vulnerability that nobody has accepted; 0 else, also when nothing could be
    judged, which the first line then says."""
    reasons = []
    for source in SOURCES:
        probe = ask(source, PROBE)
        report = probe if isinstance(probe, str) or not probe.judged else ask(source, PACKAGES)
        if isinstance(report, str):
            reasons.append(f"{source}: {report}")
        elif not report.judged:
            reasons.append(f"{source}: answers, but has no such data")
        else:
            return _verdict(source, report, accept)
    return 0, [
        "NOT AUDITED: no source of known vulnerabilities can be reached from here. Nothing is known of the packages.",
        *reasons,
    ]


def _verdict(source: str, report: Report, accept: set[str]) -> tuple[int, list[str]]:
    open_ones = [one for one in report.found if one.id not in accept]
    lines = [f"{source}: {report.judged} packages judged, {len(open_ones)} vulnerabilities that nobody has accepted."]
    if report.skipped:
        lines.append(f"NOT AUDITED, for {source} does not know them: {', '.join(report.skipped)}")
    for one in open_ones:
        fix = f"fixed in {', '.join(one.fixed_in)}" if one.fixed_in else "no fixed version yet"
        lines.append(f"  {one.package} {one.version}: {one.id}, {fix}")
    if open_ones:
        lines.append("Pin a fixed version in requirements.in and run `make requirements`, or accept it in")
        lines.append("requirements/accepted.txt with the reason and the day on which to look again.")
    return (1 if open_ones else 0), lines


if __name__ == "__main__":
    code, said = audit(pip_audit, accepted((ROOT / "requirements/accepted.txt").read_text(), datetime.now(UTC).date()))
    sys.stdout.write("\n".join(said) + "\n")
    sys.exit(code)
