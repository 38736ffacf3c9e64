"""What `make test` leaves out, `make torture` runs."""

from __future__ import annotations

import re
from pathlib import Path


def test_make_torture_names_every_file_with_a_test_that_only_it_runs(root: Path) -> None:
    (recipe,) = re.findall(r"^torture:.*\n((?:\t.*\n)+)", (root / "Makefile").read_text(), re.MULTILINE)
    named = [root / word for word in recipe.split() if word.startswith("tests/")]
    tests = (root / "tests").rglob("test_*.py")
    marked = [path for path in tests if re.search(r"mark\.torture\b", path.read_text())]
    assert len(marked) >= 5
    assert [path for path in marked if not {path, *path.parents} & set(named)] == []
