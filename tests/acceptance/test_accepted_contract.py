"""A source that changes its contract: the load is refused, and the message names the field, what it was and now is."""

from __future__ import annotations

import pytest

from onefold.errors import Rejected
from tests.acceptance.bench import Bench, everything
from tests.acceptance.streams import Listed, each_change


def refused(bench: Bench, listed: Listed) -> str:
    """The message with which a load of everything is refused; asserts that it has left no other trace."""
    bench.let_answers_age(listed)
    before = bench.untouched(listed)
    with pytest.raises(Rejected) as raised:
        bench.load(listed, requested=everything(listed))
    assert bench.hits() > 0
    assert bench.untouched(listed) == before
    (state, error) = bench.query("select state, error from ops.load order by load_id desc limit 1")[0]
    assert (state, error) == ("rejected", str(raised.value))
    return error


@each_change(lambda case: case.renamed)
def test_a_renamed_field_refuses_the_load_and_is_named(loaded: Bench, listed: Listed, given: tuple[str, str]):
    field, wire = given
    loaded.fault(listed, kind="rename_field", field=wire, to="Zzz__c", times=-1)
    message = refused(loaded, listed)
    assert f"field {field} was {listed.stream.fields[field].type} and is now absent" in message
    assert f"{listed.name}" in message
    assert f"catalog/systems/{listed.system.system}.yaml" in message


@each_change(lambda case: case.renamed)
def test_a_dropped_field_refuses_the_load_and_is_named(loaded: Bench, listed: Listed, given: tuple[str, str]):
    field, wire = given
    loaded.fault(listed, kind="drop_field", field=wire, times=-1)
    assert f"field {field} was {listed.stream.fields[field].type} and is now absent" in refused(loaded, listed)


@each_change(lambda case: case.vanishing)
def test_an_optional_field_that_vanishes_from_all_records_refuses_the_load_and_is_named(
    loaded: Bench, listed: Listed, given: tuple[str, str]
):
    field, wire = given
    assert not listed.stream.fields[field].required
    loaded.fault(listed, kind="drop_field", field=wire, times=-1)
    assert f"field {field} was {listed.stream.fields[field].type} and is now absent" in refused(loaded, listed)


@each_change(lambda case: case.retyped)
def test_a_retyped_field_refuses_the_load_and_is_named_with_both_types(
    loaded: Bench, listed: Listed, given: tuple[str, str, str, str]
):
    field, wire, to, called = given
    loaded.fault(listed, kind="retype_field", field=wire, to=to, times=-1)
    assert f"field {field} was {listed.stream.fields[field].type} and is now {called}" in refused(loaded, listed)
