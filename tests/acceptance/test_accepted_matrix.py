"""What is proven once: the first case of each kind stays in `make test`, and a new kind gets its case by itself."""

from __future__ import annotations

from tests.acceptance.streams import ALL, each_transport, once_per, transport


def in_make_test(mark) -> list[str]:
    return [case.id for case in mark.args[1] if not case.marks]


def test_the_first_case_of_each_kind_is_in_make_test_and_no_case_is_lost():
    cases = [("rest", 1), ("rest", 2), ("soap", 3), ("rest", 4)]
    parametrized = once_per(lambda kind, _: kind, "kind, number", cases, lambda kind, number: f"{kind}-{number}").mark
    assert in_make_test(parametrized) == ["rest-1", "soap-3"]
    assert [case.values for case in parametrized.args[1]] == cases


def test_every_way_to_ask_that_the_catalogue_knows_has_its_case():
    taken = set(in_make_test(each_transport().mark))
    assert {transport(listed) for listed in ALL} == {transport(listed) for listed in ALL if listed.name in taken}
    assert 10 < len(taken) < len(ALL)
