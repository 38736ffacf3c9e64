"""A mistake in the catalogue is reported with file, line and remedy, before anything runs."""

from __future__ import annotations

import os
import time

import pytest

from onefold.catalog.yaml_file import MAX_BYTES
from onefold.errors import Fatal
from tests.catalog.conftest import SYSTEM


def test_a_right_catalogue_is_read(checkout):
    catalog = checkout.read()
    assert list(catalog.systems) == ["shop"]
    stream = catalog.systems["shop"].streams["account"]
    assert stream.fields["Id"].type == "text"
    assert stream.cursor.lookback.total_seconds() == 900
    assert catalog.entities["customer"].streams == ["shop.account"]


def test_a_number_with_leading_zeros_stays_text(checkout):
    example = checkout.read().entities["customer"].attributes["krs"].sources["shop.account"].examples[0]
    assert example.given == example.then == "0000123456"


def test_the_country_code_of_norway_is_not_a_boolean(checkout):
    checkout.entity("{field: Name}", "{field: Name, transform: text, examples: [{given: NO, then: on}]}")
    example = checkout.read().entities["customer"].attributes["legal_name"].sources["shop.account"].examples[0]
    assert (example.given, example.then) == ("NO", "on")


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("connection:", "conection:", 4, 'unknown key "conection"; did you mean "connection"?'),
        ("title: The shop\n", "", 1, '"title" is missing; add "title: …"'),
        (
            "protocol: rest",
            "protocol: rset",
            3,
            'protocol: "rset" is not allowed; did you mean "rest"? use one of:',
        ),
        ("Changed: timestamp", "Changed: timestmp", 16, 'did you mean "timestamp"?'),
        ("title: Accounts", "title: 17", 8, 'title: text is needed here; write "17" in quotes'),
        (
            "PT15M",
            "15 minuts",
            11,
            "'15 minuts' is not a duration; write an ISO 8601 duration, for example PT10M",
        ),
        ("primary_key: [Id]", "primary_key: Id", 10, "primary_key: needs a list, for example ['Id']"),
        (
            "primary_key: [Id]",
            "primary_key: [Idd]",
            10,
            "primary_key names 'Idd', which is not under fields; add it",
        ),
        (
            "primary_key: [Id]",
            "primary_key: [Id]\n    volatile: [Changed]",
            11,
            "volatile takes in 'Changed', which is the cursor",
        ),
        ("request: {path: /accounts}", "request: /accounts", 9, 'request: needs "key: value" lines below it'),
        ("account:", "Account:", 7, '"Account" is not a name; write lower-case words'),
        ("account:", f"{'a' * 25}:", 7, "at most 24 characters"),
        ("Name: {personal", f"{'N' * 64}: {{personal", 15, "has more than 63 bytes; give it a shorter name"),
        ('"0 2 * * *"', '"0 25 * * *"', 5, '"0 25 * * *" is not cron; write five fields'),
        ("streams:", "streams: [", 8, "not YAML at line 8, column 10"),
        (
            "title: The shop",
            "title: The shop\ntitle: Again",
            3,
            'key "title" stands here twice, first on line 2',
        ),
        ("title: The shop", "title: !!python/name:os.system shop", 2, "tags are not read; remove"),
        ("title: The shop", "title: *shop", 2, "no &shop before *shop; add it"),
        ("system: shop", "system: shops", 1, 'system is "shops" but the file is shop.yaml; rename one'),
        (
            "schedule:",
            "python: {module: shpo, why: because it is truly odd}\nschedule:",
            5,
            'no module "shpo"',
        ),
        (
            "schedule:",
            "python: {module: krs, why: because it is truly odd, windows: true}\nschedule:",
            5,
            '"windows" was renamed to "windows, in the capabilities of the module\'s connector"; write that instead',
        ),
        (
            "schedule:",
            "limits: {apart: {POST /x: [1/s]}}\nschedule:",
            5,
            '"apart" was renamed to "per_endpoint"; write that instead',
        ),
        (
            "schedule:",
            "errors: {spent: [E7]}\nschedule:",
            5,
            '"spent" was renamed to "quota_exhausted"; write that instead',
        ),
        (
            "primary_key: [Id]",
            "primary_key: [Id]\n    forgets: true",
            11,
            '"forgets" was renamed to "retention_limited"; write that instead',
        ),
        (
            "primary_key: [Id]",
            "primary_key: [Id]\n    deleted: {field: Id}",
            11,
            '"deleted" was renamed to "deletes: {flag: …}"; write that instead',
        ),
        (
            "primary_key: [Id]",
            "primary_key: [Id]\n    tombstones: {key: id}",
            11,
            '"tombstones" was renamed to "deletes: {tombstones: …}"; write that instead',
        ),
        (
            "primary_key: [Id]",
            "primary_key: [Id]\n    whole: true",
            11,
            '"whole" was renamed to "deletes: {complete_group: true}"; write that instead',
        ),
        (
            "request: {path: /accounts}",
            "request:\n      params:\n        id: '{question}'",
            11,
            "{question} was renamed to {lookup_key}; write {lookup_key}",
        ),
        ("schedule:", "look: {every: PT10S}\nschedule:", 5, "look: it says how a source without log or queue is asked"),
        (
            "schedule:",
            "python: {module: krs, why: because it is truly odd}\nstart: on_change\nschedule:",
            6,
            "start: on_change needs look here: how often it is asked",
        ),
        (
            "schedule:",
            "python: {module: krs, why: because it is truly odd}\nstart: on_change\nlook: {streams: [x]}\nschedule:",
            7,
            "look.streams: there is no stream x",
        ),
        ("customer.krs", "customer.kre", 12, 'no entity has "customer.kre"; did you mean "customer.krs"?'),
    ],
)
def test_a_mistake_in_a_system_names_line_and_remedy(checkout, old, new, line, said):
    checkout.system(old, new)
    assert [said in mistake for mistake in checkout.mistakes() if mistake.startswith(f"shop.yaml:{line}: ")] == [True]


def test_names_of_which_postgresql_would_cut_a_relations_name_are_refused(checkout):
    name, stream = "s" * 22, "a" * 24
    text = SYSTEM.replace("system: shop", f"system: {name}").replace("account:", f"{stream}:")
    checkout.write(f"catalog/systems/{name}.yaml", text)
    assert any(f"{name}.yaml:7: " in each and "shorten one" in each for each in checkout.mistakes())
    checkout.root.joinpath(f"catalog/systems/{name}.yaml").unlink()
    # Of attributes one by one there is room for 24 letters, of three together not.
    long = [f"{letter * 23}" for letter in "abc"]
    more = "".join(f"  {each}: {{meaning: m, sources: {{shop.account: {{field: Name}}}}}}\n" for each in long)
    checkout.entity("strong: [krs]}\nattributes:\n", f"strong: [krs, [{', '.join(long)}]]}}\nattributes:\n{more}")
    assert any("shorten the attributes' names" in each for each in checkout.mistakes())


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("{field: Name}", "{field: Nmae}", 10, 'shop.account has no field "Nmae"; did you mean "Name"?'),
        (
            "shop.account: {",
            "shop.acount: {",
            10,
            'unknown stream "shop.acount"; did you mean "shop.account"?',
        ),
        ("transform: digits", "transform: digit", 16, 'unknown transform "digit"; did you mean "digits"?'),
        ("trust: [shop]", "trust: [shops]", 4, 'unknown system "shops"; did you mean "shop"?'),
        ("strong: [krs]", "strong: [kre]", 1, "identity names 'kre', which is not under attributes"),
        ("version: 1", "version: 0", 3, "version: input should be greater than 0, not 0"),
        ("{field: Name}", "{field: Name, constant: x}", 10, "say either field or constant"),
        ("{field: Name}", "{field: 5}", 10, 'field: text is needed here; write "5" in quotes'),
        ("entity: customer", "entity: buyer", 1, 'entity is "buyer" but the file is customer.yaml'),
    ],
)
def test_a_mistake_in_an_entity_names_line_and_remedy(checkout, old, new, line, said):
    checkout.entity(old, new)
    assert said in next(mistake for mistake in checkout.mistakes() if mistake.startswith(f"customer.yaml:{line}: "))


def test_all_mistakes_of_all_files_come_at_once(checkout):
    checkout.system("connection:", "conection:")
    checkout.system("protocol: rest", "protocol: rset", name="other")
    mistakes = checkout.mistakes()
    assert [mistake.split(": ")[0] for mistake in mistakes] == ["other.yaml:3", "shop.yaml:1", "shop.yaml:4"]


def test_the_error_is_fatal_and_shows_one_line_a_mistake(checkout):
    path = checkout.system("protocol: rest", "protocol: rset")
    with pytest.raises(Fatal, match=f"{path}:3: protocol"):
        checkout.read()


def test_a_file_that_was_fixed_is_read_again(checkout):
    checkout.system("title: The shop", "title: [")
    assert checkout.mistakes()
    checkout.system("title: The shop", "title: Fixed")
    assert checkout.read().systems["shop"].title == "Fixed"


def test_an_unchanged_file_is_not_parsed_again(checkout):
    assert checkout.read().systems["shop"] is checkout.read().systems["shop"]


def test_a_change_of_the_same_size_is_seen(checkout):
    checkout.read()
    path = checkout.system("The shop", "Our shop")
    os.utime(path, ns=(1, 1))
    assert checkout.read().systems["shop"].title == "Our shop"


def test_a_bomb_of_aliases_is_refused_at_once(checkout):
    bomb = "a: &a [x, x, x, x, x, x, x, x, x, x]\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True):
        bomb += f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]\n"
    checkout.write("catalog/systems/shop.yaml", bomb)
    began = time.monotonic()
    [mistake] = checkout.mistakes()
    assert "more than 20,000 values (aliases written out)" in mistake
    assert time.monotonic() - began < 1


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("a: &a [*a]\n", "no &a before *a"),
        ("a: " + "[" * 900 + "]" * 900, "nested too deeply"),
        ("- " * 5000 + "x", "nested too deeply"),
        ("x" * (MAX_BYTES + 1), "bytes, more than 262,144; split it"),
        (b"title: \xff\n", "not UTF-8; save the file in UTF-8"),
        ("title: \x01\n", "is not allowed; remove it"),
        ("- a\n", 'the file must be a mapping of "key: value" lines'),
        ("", 'the file must be a mapping of "key: value" lines'),
        ("a: 1\n---\nb: 2\n", 'a second document; remove "---"'),
        ("{a: 1}: 2\n", "a key must be plain text"),
    ],
)
def test_a_file_that_is_not_plain_yaml_is_refused(checkout, content, said):
    checkout.write("catalog/systems/shop.yaml", content)
    assert said in checkout.mistakes()[0]


def test_anchors_are_allowed(checkout):
    checkout.system("Name: {personal: organisation}", "Name: &who {personal: organisation}\n      Owner: *who")
    assert checkout.read().systems["shop"].streams["account"].fields["Owner"].personal == "organisation"


def test_twenty_systems_are_read_in_milliseconds(checkout):
    for number in range(20):
        text = (checkout.root / "catalog/systems/shop.yaml").read_text().replace("shop", f"shop{number}")
        checkout.write(f"catalog/systems/shop{number}.yaml", text)
    began = time.perf_counter()
    checkout.read()
    cold = time.perf_counter() - began
    began = time.perf_counter()
    checkout.read()
    warm = time.perf_counter() - began
    assert cold < 1  # 0.05 s on an idle machine
    assert warm < cold
