"""`onefold check` says how much is integrated, or every mistake, and its exit code tells scripts which."""

from __future__ import annotations

import json

from click.testing import CliRunner

from onefold.commands.check import check


def run(checkout, *options):
    return CliRunner().invoke(check, ["--root", str(checkout.root), *options])


def test_a_right_catalogue_is_counted(checkout):
    result = run(checkout)
    assert result.exit_code == 0
    assert result.output == "The catalogue is right: 1 systems, 1 streams, 1 entities, 2 expectations.\n"
    assert json.loads(run(checkout, "--json").output) == {
        "valid": True,
        "systems": 1,
        "streams": 1,
        "entities": 1,
        "expectations": 2,
        "marks": [],
        "missing": [],
    }


def test_mistakes_end_with_exit_code_one(checkout):
    path = checkout.system("protocol: rest", "protocol: rset")
    result = run(checkout)
    assert result.exit_code == 1
    assert f'{path}:3: protocol: "rset" is not allowed' in result.output
    assert "Mistakes in the catalogue: 1." in result.output
    told = json.loads(run(checkout, "--json").output)
    assert (told["valid"], told["mistakes"][0]["line"]) == (False, 3)


def test_a_suite_that_names_no_column_of_its_stream_is_a_mistake_with_its_line(checkout):
    path = checkout.suite("shop__account", "nmae")
    result = run(checkout)
    assert result.exit_code == 1
    assert f'{path}:3: shop__account has no column "nmae"; did you mean "name"?' in result.output


def test_a_stream_without_a_suite_is_a_mistake(checkout):
    checkout.root.joinpath("expectations/shop__account.yaml").unlink()
    result = run(checkout)
    assert result.exit_code == 1
    assert "every stream and entity needs a suite" in result.output
    assert "write a first one: bin/onefold new suite shop.account" in result.output


def test_the_marks_of_drafts_that_are_left_are_listed(checkout):
    path = checkout.root / "catalog" / "systems" / "shop.yaml"
    text = path.read_text()
    path.write_text(text.replace("title:", "title: # check: what it is called\n   ", 1))
    done = run(checkout)
    assert done.exit_code == 0, done.output
    assert "Marks of drafts left to check: 1. Delete each once you have seen to it:" in done.output
    told = json.loads(run(checkout, "--json").output)
    assert [mark["text"] for mark in told["marks"]] == ["what it is called"]
