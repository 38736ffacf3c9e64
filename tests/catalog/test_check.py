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
    assert result.output == "The catalogue is right: 1 systems, 1 streams, 1 entities.\n"
    assert json.loads(run(checkout, "--json").output) == {
        "valid": True,
        "systems": 1,
        "streams": 1,
        "entities": 1,
    }


def test_mistakes_end_with_exit_code_one(checkout):
    path = checkout.system("protocol: rest", "protocol: rset")
    result = run(checkout)
    assert result.exit_code == 1
    assert f'{path}:3: protocol: "rset" is not allowed' in result.output
    assert "Mistakes in the catalogue: 1." in result.output
    told = json.loads(run(checkout, "--json").output)
    assert (told["valid"], told["mistakes"][0]["line"]) == (False, 3)
