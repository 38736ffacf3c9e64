"""The survey of the whole sandbox finds the overlaps that its truth says."""

from __future__ import annotations

from collections import defaultdict
from itertools import combinations

import psycopg
import pytest

from onefold.catalog.system import System
from onefold.http.endpoint import Endpoint
from onefold.survey.reading import Bounds, table_of
from onefold.survey.run import survey
from tests.acceptance.streams import CATALOG, Listed
from tests.mapping_proposal.conftest import LoadedWorld, loaded_world

pytestmark = pytest.mark.torture
__all__ = ["loaded_world"]


def test_each_pair_of_systems_has_as_many_customers_in_common_as_the_truth_says(loaded_world: LoadedWorld) -> None:
    sandbox = loaded_world.sandbox

    def endpoint_of(system: System) -> Endpoint:
        return Listed(f"{system.system}.{next(iter(system.streams))}").endpoint(sandbox)

    with psycopg.connect(loaded_world.warehouse.loader, autocommit=True, options="-c TimeZone=UTC") as connection:
        found = survey(connection, CATALOG, endpoint_of, Bounds(None, None))
        customer = next(each for each in found.entities if each.entity == "customer")
        read = {
            (source.source, key)
            for source in customer.sources
            for (key,) in connection.execute(
                psycopg.sql.SQL("select _key from {} where not _deleted").format(table_of(source.system, source.stream))
            )
        }
    companies: defaultdict[str, set[object]] = defaultdict(set)
    for record in sandbox.truth()["records"]:
        if (f"{record['system']}.{record['stream']}", record["key"]) in read:
            companies[record["system"]].add(record["company_id"])
    assert set(companies) == {"salesforce", "sap", "erp", "shop", "krs", "regon"}
    shared = {(pair.one, pair.other): pair.shared for pair in customer.pairs}
    for one, other in combinations(sorted(companies), 2):
        truth = len(companies[one] & companies[other])
        assert abs(shared[one, other] - truth) <= 0.01 * truth, (one, other, shared[one, other], truth)
    assert [each.read.name for each in found.streams if each.read.not_read] == ["epuap.document"]
    assert found.phases[0].entities == ("customer",)
