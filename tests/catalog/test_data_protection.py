"""A stream with personal fields says what they are for, on which basis, whose they are, and how long they are kept."""

from __future__ import annotations

from datetime import timedelta

import pytest

from onefold.catalog.data_protection import check_data_protection, class_periods, entity_periods, stream_periods
from onefold.catalog.privacy import DataProtection
from onefold.catalog.reader import read_catalog
from onefold.catalog.yaml_file import CatalogError

PRIVACY = "    privacy: {purpose: Know the customers of the shop, legal_basis: contract, persons: [Sole traders]}\n"


def wrong(checkout) -> list[str]:
    with pytest.raises(CatalogError) as caught:
        check_data_protection(checkout.read(), checkout.root)
    return [f"{found.file.name}:{found.line}: {found.text}" for found in caught.value.mistakes]


def test_what_is_not_said_of_personal_data_is_a_mistake_that_names_it(checkout):
    checkout.system(PRIVACY, "")
    (text,) = wrong(checkout)
    assert text.startswith("shop.yaml:7: account has personal fields (Name, …) and does not say their purpose,")
    checkout.system("purpose: Know the customers of the shop, ", "")
    assert "does not say their purpose; add" in wrong(checkout)[0]
    checkout.system("legal_basis: contract, ", "")
    assert wrong(checkout)[0].startswith("shop.yaml:17: account")


def test_a_stream_without_personal_fields_need_not_say_anything(checkout):
    checkout.system(
        "      Name: {personal: organisation}\n      Changed: timestamp\n" + PRIVACY,
        "      Name: text\n      Changed: timestamp\n",
    )
    check_data_protection(checkout.read(), checkout.root)


def test_a_class_that_is_kept_for_no_time_that_anybody_said_is_a_mistake(checkout):
    checkout.system("personal: organisation", "personal: sensitive")
    assert 'catalog/privacy.yaml does not say how long class "sensitive" is kept' in wrong(checkout)[0]


def test_a_file_that_is_missing_or_wrong_is_a_mistake_with_its_line(checkout):
    path = checkout.privacy("history: P60D", "history: PT1H")
    assert wrong(checkout)[0].startswith("privacy.yaml:4: a period has at least one day")
    path.unlink()
    assert "the file is missing" in wrong(checkout)[0]


def test_a_basis_that_needs_a_law_names_it(checkout):
    checkout.system("legal_basis: contract", "legal_basis: legal_obligation")
    assert checkout.mistakes() == ['shop.yaml:17: legal_basis legal_obligation needs "law: …": the law, by name']


def test_what_a_law_demands_is_not_kept_for_less(checkout):
    kept = "    kept_by_law: {fields: [Name], basis: the law, years: 5, since: Changed}\n"
    checkout.system(PRIVACY, kept + PRIVACY)
    assert "account: the law demands 5 years, and retention is shorter" in wrong(checkout)[0]
    retention = "persons: [Sole traders], retention: {history: P6Y, deleted: P6Y}"
    checkout.system(PRIVACY, kept + PRIVACY.replace("persons: [Sole traders]", retention))
    check_data_protection(checkout.read(), checkout.root)


def test_of_several_classes_the_shortest_period_counts_and_a_streams_own_before_all(checkout):
    everywhere = check_data_protection(checkout.read(), checkout.root)
    days = {name: getattr(everywhere.periods(["organisation", "contact"]), name).days for name in PERIODS}
    assert days == {"history": 60, "deleted": 30, "quarantine": 10, "waiting": 60}
    checkout.system("persons: [Sole traders]", "persons: [Sole traders], retention: {history: P7D}")
    catalog = checkout.read()
    stream = catalog.systems["shop"].streams["account"]
    assert stream_periods(stream, everywhere).history == timedelta(days=7)
    assert stream_periods(stream, everywhere).deleted == timedelta(days=30)
    assert entity_periods(catalog.entities["customer"], catalog.systems, everywhere).history == timedelta(days=7)


PERIODS = ("history", "deleted", "quarantine", "waiting")


def test_every_shipped_system_says_it():
    everywhere = check_data_protection(read_catalog())
    assert isinstance(everywhere, DataProtection)


def test_a_class_is_kept_for_less_time_than_the_versions_that_hold_it(checkout):
    def said(text: str) -> None:
        checkout.system("persons: [Sole traders]", f"persons: [Sole traders], retention: {text}")

    said("{history: P80D, by_class: {organisation: {history: P30D}}}")
    everywhere = check_data_protection(checkout.read(), checkout.root)
    catalog = checkout.read()
    stream = catalog.systems["shop"].streams["account"]
    assert class_periods(stream) == {"organisation": timedelta(days=30)}
    assert stream_periods(stream, everywhere).history == timedelta(days=80)
    said("{by_class: {organisation: {history: P91D}}}")
    (text,) = wrong(checkout)
    assert text.startswith("shop.yaml:17: account: values of class organisation cannot be kept for 91 days where the")
    assert text.endswith('are kept for 90; say less, or a longer "retention: {history: …}" of the stream')
    said("{by_class: {sensitive: {history: P1D}}}")
    (text,) = wrong(checkout)
    assert text.startswith("shop.yaml:17: account has no field of class sensitive; remove it, or give a field that")
    for text, mistake in WRONG_CLASSES.items():
        said(text)
        (found,) = checkout.mistakes()
        assert found.startswith(f"shop.yaml:17: {mistake}")
    checkout.system(
        "streams:\n", "defaults: {privacy: {retention: {by_class: {sensitive: {history: P1D}}}}}\nstreams:\n"
    )
    check_data_protection(checkout.read(), checkout.root)


WRONG_CLASSES = {
    "{by_class: {personal: {history: P1Y}}}": 'personal: "personal" is not allowed; use one of: contact, identity, org',
    "{by_class: {organisation: {history: PT1H}}}": "a period has at least one day; write P1D or more",
    "{by_class: {organisation: {history: soon}}}": "history: 'soon' is not a duration; write an ISO 8601 duration",
    "{by_class: {organisation: {}}}": '"history" is missing; add "history: …"',
    "{by_class: {organisation: {history: P1D, deleted: P1D}}}": 'unknown key "deleted"',
}


NO_PERSONS = {"krs.extract.numerKRS", "crbr.beneficiary.KRS"}
"""Numbers of the court register: who has one is never a natural person."""


def test_a_field_that_gives_a_personal_attribute_its_value_is_personal_itself():
    catalog = read_catalog()
    unclassed = {
        f"{source}.{name}"
        for entity in catalog.entities.values()
        for attribute in entity.attributes.values()
        if attribute.personal != "none"
        for source, rule in attribute.sources.items()
        for system, _, stream in [source.partition(".")]
        for name in rule.fields
        if catalog.systems[system].streams[stream].fields[name].personal == "none"
    }
    assert unclassed == NO_PERSONS
