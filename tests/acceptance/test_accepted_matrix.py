"""What is proven once: the first case of each kind stays in `make test`, and a new kind gets its case by itself."""

from __future__ import annotations

from tests.acceptance.streams import (
    ALL,
    covering,
    each_kind,
    each_value,
    history,
    increments,
    once_per,
    resumption,
    signs_in,
    windows,
)


def in_make_test(mark) -> list[str]:
    return [case.id for case in mark.args[1] if not case.marks]


def test_the_first_case_of_each_kind_is_in_make_test_and_no_case_is_lost():
    cases = [("rest", 1), ("rest", 2), ("soap", 3), ("rest", 4)]
    parametrized = once_per(lambda kind, _: kind, "kind, number", cases, lambda kind, number: f"{kind}-{number}").mark
    assert in_make_test(parametrized) == ["rest-1", "soap-3"]
    assert [case.values for case in parametrized.args[1]] == cases


def test_each_value_of_each_thing_is_in_make_test_with_as_few_cases_as_it_takes_and_no_case_is_lost():
    cases = [("rest", "time"), ("rest", "number"), ("soap", "time"), ("soap", "number"), ("sql", "number")]
    parametrized = each_value(lambda *kind: kind, "reader, cursor", cases, lambda *kind: "-".join(kind)).mark
    assert in_make_test(parametrized) == ["rest-time", "soap-number", "sql-number"]
    assert [case.values for case in parametrized.args[1]] == cases


def test_every_value_that_the_catalogue_knows_has_its_case():
    for kind in (history, increments, signs_in, windows):
        kinds = [kind(listed) for listed in ALL]
        taken = [kinds[place] for place in covering(kinds)]
        assert [set(values) for values in zip(*taken, strict=True)] == [
            set(values) for values in zip(*kinds, strict=True)
        ]
        assert len(taken) < len(set(kinds))


def test_every_way_to_ask_that_the_catalogue_knows_has_its_case():
    taken = set(in_make_test(each_kind(resumption, ALL).mark))
    assert {resumption(listed) for listed in ALL} == {resumption(listed) for listed in ALL if listed.name in taken}
    assert 10 < len(taken) < len(ALL)
