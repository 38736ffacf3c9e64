"""The samples of docs/deletes.md are streams that can be swept, and ask for what the page says."""

from __future__ import annotations

import pytest
import yaml

from onefold.catalog.ignored_settings import ignored_settings
from onefold.catalog.system import System
from onefold.connectors.key_listing import key_system, why_no_sweep
from onefold.settings import ROOT
from tests.docs.pages import blocks

SAMPLES = blocks(ROOT / "docs" / "deletes.md", "yaml")


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.where)
def test_a_sample_of_a_sweep_is_right(sample) -> None:
    stream = {"title": "T", "primary_key": ["id"], "fields": {"id": "text", "name": "text"}, "records": "data"}
    stream |= {"request": {"path": "/api/customers", "params": {"changed": "{start}"}}} | yaml.safe_load(sample.text)
    head = {"system": "shop", "title": "S", "protocol": "rest", "connection": "s", "schedule": "0 * * * *"}
    system = System.model_validate(head | {"streams": {"customer": stream}})
    assert why_no_sweep(system, "customer") is None
    assert not list(ignored_settings("rest", system.streams["customer"]))
    asked = key_system(system, "customer").streams["customer"]
    assert (asked.request.path, asked.records) in {("/api/customers", "data"), ("/api/customers/ids", "ids")}
