"""Renders a chart: `python helm_chart.py CHART VALUES.json VERSION…` writes what Helm's linter says and the manifests.

Run with the packages of tests/peers/helm.txt. Fails where a manifest is not valid for a version of Kubernetes.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import helm_python as helm
import kubernetes_validate
import yaml


def main(chart: str, values_file: str, *versions: str) -> None:
    """Print both as JSON."""
    values = json.loads(Path(values_file).read_text())
    said = helm.lint(chart, values, strict=True)
    with helm.Chart.load(chart) as loaded:
        rendered = loaded.render(values, name="onefold", namespace="data")
    manifests = [each for text in rendered.values() for each in yaml.safe_load_all(text) if each]
    for manifest in manifests:
        for version in versions:
            kubernetes_validate.validate(manifest, version, strict=True)
    print(json.dumps({"lint": said, "manifests": manifests}))


if __name__ == "__main__":
    main(*sys.argv[1:])
