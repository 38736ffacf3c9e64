"""`make sbom`: what is installed, as a CycloneDX bill of materials and as a list of licences.

Both come from kept tools in an environment of their own; here only what they found is summed up.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PYTHON = ".venv/bin/python"
SBOM = "sbom.cdx.json"
LICENCES = "licences.json"

UNKNOWN = "UNKNOWN"


def main() -> None:
    """Write both files into the project's root. Raises CalledProcessError when a tool fails."""
    _run("cyclonedx-py", "environment", PYTHON, "--output-format", "JSON", "--output-reproducible", "-o", SBOM)
    options = ("--format=json", "--with-urls", "--from=mixed")
    _run("pip-licenses", f"--python={PYTHON}", *options, f"--output-file={LICENCES}")
    bill, licences = json.loads((ROOT / SBOM).read_text()), json.loads((ROOT / LICENCES).read_text())
    sys.stdout.write("\n".join(summary(bill, licences)) + "\n")


def summary(bill: Mapping[str, Sequence[object]], licences: Sequence[Mapping[str, str]]) -> list[str]:
    """How many packages and licences there are, the commonest first, and the packages that name none."""
    counted = Counter(package["License"] for package in licences)
    without = sorted(package["Name"] for package in licences if package["License"] == UNKNOWN)
    lines = [f"{SBOM}: {len(bill['components'])} packages (CycloneDX {bill['specVersion']})"]
    lines += [f"{LICENCES}: {len(licences)} packages", *(f"{n:5}  {name}" for name, n in counted.most_common())]
    if without:
        lines.append(f"Without a licence in their metadata: {', '.join(without)}")
    return lines


def _run(tool: str, *arguments: str) -> None:
    subprocess.run([f".venv/audit/bin/{tool}", *arguments], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
