"""A warehouse's schema as pg_dump writes it, to compare."""

from __future__ import annotations

import re
import subprocess

from tests.warehouse.old_release import postgres_program

_OURS = r"\b\w+__identifier\b|\b(superseded|unchanged|lookup_result|partition|resume_token|unreadable)\b"
"""In schemas where single streams, loads and dbt have their own tables too."""


def schema_of(url: str) -> set[str]:
    """The definitions of all that Onefold itself makes: without the tables of single streams and loads, and dbt's.

    The lines of each are sorted: in which order somebody was given rights says nothing.
    """
    dump = subprocess.run(
        [postgres_program("pg_dump"), "--schema-only", url], check=True, capture_output=True, text=True
    )
    blocks = re.split(r"^--\n-- (?=Name: )", dump.stdout, flags=re.MULTILINE)[1:]
    blocks[-1] = blocks[-1].partition("\n--\n-- PostgreSQL database dump complete")[0]
    return {
        "\n".join(sorted(block.strip().splitlines()))
        for block in blocks
        if not re.search(r"Schema: (mapped|marts|dry_run_\w+|staging|landing);", block)
        or re.search(_OURS, block.partition(";")[0])
    }
