"""An erasure reaches what the register API holds, and no question to a register brings the person back."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

import psycopg
import pytest
from psycopg.types.json import Jsonb

from onefold.serve.erased import without_erased
from onefold.serve.question import Answer, Question
from tests.erasure.office import EMAIL, NAME, Office, adam, traces, zofia
from tests.roles import as_role

WHOLE = " ".join(NAME)
HELD = [{"attributes": {"legal_name": f"{WHOLE} Usługi", "email": EMAIL}, "record": {"nazwa": WHOLE.upper()}}]


@pytest.fixture
def erased_office(office: Office, warehouse_url: str) -> Office:
    office.load("hr.employee", zofia(), adam())
    with psycopg.connect(warehouse_url) as owner:
        owner.execute(
            "insert into ops.api_answer (system, stream, lookup_key, outcome, answered_at, people)"
            " values ('regon', 'entity', '5272889007', 'found', now(), %s)",
            (Jsonb(HELD),),
        )
        owner.execute(
            "insert into ops.api_company (company_id, natural_person, systems, content, people, published_at)"
            " values (%s, true, '{regon}', '{}', %s, now())",
            (uuid.uuid4(), Jsonb({"legal_name": WHOLE})),
        )
        owner.execute(
            "insert into ops.api_client values ('crm', '{companies}', 1, 1, now(), 'test')",
        )
        owner.execute(
            "insert into ops.api_check (check_id, client, idempotency_key, request_hash, numbers, people, state,"
            " results) values (%s, 'crm', 'k', '', '[]', true, 'done', %s)",
            (uuid.uuid4(), Jsonb(HELD)),
        )
    assert traces(warehouse_url) != []
    office.erase()
    return office


def test_what_the_register_api_holds_of_a_person_is_erased_with_the_forms_that_a_search_compares(
    erased_office: Office, warehouse_url: str
) -> None:
    assert traces(warehouse_url) == []
    assert erased_office.query("select name_form_people from ops.api_company where name_form_people ~ 'BRZEZI'") == []


def test_an_answer_of_a_register_does_not_bring_an_erased_person_back(
    erased_office: Office, warehouse_url: str
) -> None:
    answer = Answer(Question("regon", "entity", "1"), "found", datetime.now(UTC), None, [], HELD)
    writer = as_role(warehouse_url, "onefold_api_writer")
    with psycopg.connect(writer) as warehouse:
        kept = without_erased(answer, warehouse)
    assert EMAIL not in str(kept.people) and "rzezi" not in str(kept.people).lower()
    assert "Usługi" in str(kept.people), "what is not the person's stays"
