"""A source that changes its contract: the load is refused, and the message names the field, what it was and now is.

A field that no mapping reads refuses nothing: its change is written down, with the same words.
"""

from __future__ import annotations

import pytest

from onefold.catalog.reader import read_catalog
from onefold.errors import Rejected
from onefold.quality.withholding import withholding_of
from tests.acceptance.bench import Bench, anew
from tests.acceptance.streams import Listed, each_change, one_status

CATALOG = read_catalog()


def told(bench: Bench, listed: Listed, field: str) -> str:
    """What a load of everything says of the changed field: the message with which it is refused, without another trace;
    or, where no mapping reads the field, what is written down beside a load that is published."""
    source = f"{listed.system.system}.{listed.stream_name}"
    if withholding_of(listed.stream, source, CATALOG.entities).attributes(field) == (field,):
        return noted(bench, listed)
    message = refused(bench, listed)
    assert listed.name in message
    assert f"catalog/systems/{listed.system.system}.yaml" in message
    return message


def noted(bench: Bench, listed: Listed) -> str:
    """The change of contract that a load writes down; asserts that it is published."""
    bench.let_answers_age(listed)
    waiting = waiting_keys(bench, listed)
    load = bench.load(listed, requested=anew(listed))
    assert load.state == "published"
    assert waiting_keys(bench, listed) == waiting
    changes = bench.query(
        "select field, was, is_now from ops.contract_change where load_id = %s order by 1", load.load_id
    )
    return "; ".join(f"field {field} was {was} and is now {is_now}" for field, was, is_now in changes)


def waiting_keys(bench: Bench, listed: Listed) -> set[str]:
    """The keys of what is in quarantine. A record that cannot be read waits as it came, and so is another one once a
    field of it is called otherwise."""
    return {key for key, *_ in bench.observed(listed).quarantined if not key.startswith("{")}


def refused(bench: Bench, listed: Listed) -> str:
    """The message with which a load of everything is refused; asserts that it has left no other trace."""
    bench.let_answers_age(listed)
    before = bench.untouched(listed)
    with pytest.raises(Rejected) as raised:
        bench.load(listed, requested=anew(listed))
    assert bench.hits() > 0
    assert bench.untouched(listed) == before
    (state, error) = bench.query("select state, error from ops.load order by load_id desc limit 1")[0]
    assert (state, error) == ("rejected", str(raised.value))
    return error


@each_change(lambda case: case.renamed)
def test_a_renamed_field_refuses_the_load_and_is_named(loaded: Bench, listed: Listed, given: tuple[str, str]):
    field, wire = given
    loaded.fault(listed, kind="rename_field", field=wire, to="Zzz__c", times=-1)
    message = told(loaded, listed, field)
    assert f"field {field} was {listed.stream.fields[field].type} and is now absent" in message


@each_change(lambda case: case.renamed, one_status)
def test_a_dropped_field_refuses_the_load_and_is_named(loaded: Bench, listed: Listed, given: tuple[str, str]):
    field, wire = given
    loaded.fault(listed, kind="drop_field", field=wire, times=-1)
    assert f"field {field} was {listed.stream.fields[field].type} and is now absent" in told(loaded, listed, field)


@each_change(lambda case: case.vanishing, one_status)
def test_an_optional_field_that_vanishes_from_all_records_refuses_the_load_and_is_named(
    loaded: Bench, listed: Listed, given: tuple[str, str]
):
    field, wire = given
    assert not listed.stream.fields[field].required
    loaded.fault(listed, kind="drop_field", field=wire, times=-1)
    assert f"field {field} was {listed.stream.fields[field].type} and is now absent" in told(loaded, listed, field)


@each_change(lambda case: case.retyped)
def test_a_retyped_field_refuses_the_load_and_is_named_with_both_types(
    loaded: Bench, listed: Listed, given: tuple[str, str, str, str]
):
    field, wire, to, called = given
    loaded.fault(listed, kind="retype_field", field=wire, to=to, times=-1)
    assert f"field {field} was {listed.stream.fields[field].type} and is now {called}" in told(loaded, listed, field)
