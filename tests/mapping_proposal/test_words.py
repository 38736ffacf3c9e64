"""Names as meanings, and that the dictionary is one of the trade and not of the systems in the catalogue."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter

from onefold.catalog.reader import read_catalog
from onefold.catalog.yaml_file import read_yaml
from onefold.mapping_proposal.words import DICTIONARY, dictionary, meanings, path_words, split_words


@pytest.mark.parametrize(
    ("names", "meaning"),
    [
        (("DataWystawienia", "issue_date", "Datum der Ausstellung"), {"date", "issued"}),
        (("kod_pocztowy", "BillingPostalCode", "PLZ"), {"postal_code"}),
        (("nip_nabywcy", "customerTaxId", "KlientNIP", "client tax number"), {"customer", "tax_id"}),
        (("StockKeepingUnit", "Artikelnummer", "kod_towaru", "SKUs"), {"sku"}),
        (("termin_platnosci", "due", "Fälligkeit"), {"due"}),
        (("Straße", "ulica", "street"), {"street"}),
    ],
)
def test_names_in_three_languages_mean_the_same(names: tuple[str, ...], meaning: set[str]) -> None:
    for name in names:
        assert meaning <= set(meanings(name)), (name, meanings(name))


def test_words_are_split_where_names_join_them() -> None:
    assert split_words("OrganizationBPName1") == ["organization", "bp", "name", "1"]
    assert split_words("łódź_EANs") == ["lodz", "eans"]
    assert path_words('$.to_Address.results[0].City ? (@.kind == "x").Name') == "City Name"


def test_a_code_is_like_nothing_but_itself() -> None:
    assert meanings("P_13_1") == ("p_13_1",)


def test_each_word_of_the_dictionary_has_one_meaning() -> None:
    words = dictionary()
    assert all(word == word.lower() and word.isascii() for word in words)
    assert len(words) > 900
    listed = [word for meant in TypeAdapter(dict[str, list[str]]).validate_python(read_yaml(DICTIONARY).value).values()
              for word in meant]  # fmt: skip
    assert len(listed) == len(words)


def test_most_words_of_the_dictionary_are_in_no_name_of_the_catalogue() -> None:
    """It was not made from the fields that it is judged by."""
    catalog = read_catalog()
    fields = {name for s in catalog.systems.values() for stream in s.streams.values() for name in stream.fields}
    used = {" ".join(split_words(name)) for name in fields} | {word for name in fields for word in split_words(name)}
    assert sum(word in used for word in dictionary()) / len(dictionary()) < 0.4
    assert not {name.lower() for name in catalog.systems} & dictionary().keys() - {"krs", "regon", "hr", "shop"}
