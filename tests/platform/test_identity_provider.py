"""Which identity provider people sign in at, what its groups allow, and by what name a person is known."""

from __future__ import annotations

import json
from itertools import combinations

import pytest

from onefold.audit import AuditEvent, actor
from onefold.audit.approval import triggering_user
from onefold.audit.person import LOCAL, Person
from onefold.errors import Fatal
from onefold.orchestration.oidc.provider import NAME, TOKEN_SECONDS, Refused, Rights, identity_provider, rights_of_roles
from onefold.orchestration.pools import SERVICE_ACCOUNT
from onefold.platform import airflow
from onefold.platform.airflow import FAB
from onefold.platform.people import airflow_users, first_of
from onefold.settings import settings

ISSUER = "https://sso.example.com/realms/onefold"


@pytest.fixture(autouse=True)
def _provider(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONEFOLD_OIDC_ISSUER", ISSUER)


def test_a_person_is_known_by_issuer_and_subject_and_no_two_are_one() -> None:
    subjects = ("5f2c0a1e-77aa-4b1c-9d2e-0123456789ab", "anna", "Anna", "a/b", "a:b", "a b", "110169484474386276334",
                "x" * 60, "x" * 61, "ż")  # fmt: skip
    issuers = (ISSUER, f"{ISSUER}/", "http://sso.example.com/realms/onefold", "https://sso.example.com:realms:onefold",
               "https://SSO.example.com/realms/onefold", f"https://{'x' * 70}.example.com")  # fmt: skip
    accounts = [Person(issuer, subject).account for issuer in issuers for subject in subjects]
    assert all(one.lower() != other.lower() for one, other in combinations(accounts, 2))
    assert accounts[0] == f"sso.example.com:realms:onefold:{subjects[0]}"
    assert Person(LOCAL, "anna.kowal").account == "anna.kowal"
    for account in accounts:
        who = actor(account, "rollback", "manual__1")
        assert (actor(account), triggering_user(who)) == (f"airflow:{account}", account), "kept as it is"
        AuditEvent(who, "account.end", f"account:{account}")


def test_the_groups_of_the_claim_say_the_duty_and_neither_none_nor_two_let_anybody_in() -> None:
    provider = identity_provider()
    assert provider is not None

    def rights(*groups: str) -> Rights:
        return provider.rights({"groups": list(groups)})

    assert rights("staff", "onefold-engineer") == Rights("engineer", pii=False)
    assert rights("onefold-auditor", "onefold-pii") == Rights("auditor", pii=True)
    for groups in ([], ["staff"], ["onefold-pii"], ["Onefold-Engineer"], ["onefold-engineer", "onefold-approver"]):
        with pytest.raises(Refused):
            rights(*groups)
    for claims in ({}, {"groups": "onefold-engineer"}, {"groups": None}, {"roles": ["onefold-engineer"]}):
        with pytest.raises(Refused):
            provider.rights(claims)
    assert rights_of_roles(["everybody", "analyst"]) == Rights("analyst", pii=False)
    assert rights_of_roles(["analyst", "engineer"]) is None


def test_another_issuers_claims_and_such_without_a_subject_are_nobodys() -> None:
    provider = identity_provider()
    assert provider is not None
    assert provider.person({"iss": ISSUER, "sub": "x"}) == Person(ISSUER, "x")
    for claims in ({"iss": f"{ISSUER}/", "sub": "x"}, {"iss": ISSUER}, {"iss": ISSUER, "sub": ""}, {"sub": "x"}):
        with pytest.raises(Refused):
            provider.person(claims)


def test_groups_are_named_as_the_company_calls_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONEFOLD_OIDC_GROUPS", "/it/data:engineer, urn:x:four eyes:approver")
    monkeypatch.setenv("ONEFOLD_OIDC_CLAIM", "roles")
    provider = identity_provider()
    assert provider is not None
    assert provider.rights({"roles": ["/it/data"]}).duty == "engineer"
    assert provider.rights({"roles": ["urn:x:four eyes"]}).duty == "approver"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ISSUER", "http://sso.example.com/realms/onefold"),
        ("ISSUER", "sso.example.com"),
        ("CA", "/nowhere/ca.pem"),
        ("GROUPS", "it"),
        ("GROUPS", "it:boss"),
        ("GROUPS", "it:engineer,it:approver"),
        ("GROUPS", "it:analyst"),
    ],
)
def test_a_setting_that_would_let_nobody_or_the_wrong_in_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(f"ONEFOLD_OIDC_{name}", value)
    with pytest.raises(Fatal, match=f"ONEFOLD_OIDC_{name}"):
        identity_provider()


def test_the_client_secret_is_shown_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONEFOLD_OIDC_CLIENT_SECRET", "very secret")
    assert "very secret" not in repr(identity_provider())


def test_without_the_packages_up_says_how_to_get_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(Fatal, match="make sign-in"):
        airflow._identity_provider(settings())
    monkeypatch.delenv("ONEFOLD_OIDC_ISSUER")
    assert airflow._identity_provider(settings()) == {}, "nothing changes where people have passwords"


def test_with_it_tokens_hold_for_fifteen_minutes_and_tasks_are_not_given_the_secret(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: name)
    monkeypatch.setenv("ONEFOLD_OIDC_CLIENT_SECRET", "very secret")
    monkeypatch.setenv("ONEFOLD_UI_ADDRESS", "https://onefold.example.com/")
    found = airflow._identity_provider(settings())
    assert found["AIRFLOW__API_AUTH__JWT_EXPIRATION_TIME"] == "900"
    assert found["AIRFLOW__API__BASE_URL"] == "https://onefold.example.com"
    assert (found["AIRFLOW__FAB__COOKIE_SECURE"], found["ONEFOLD_OIDC_CLIENT_SECRET"]) == ("True", "")
    assert "very secret" not in str(found)
    assert FAB in (settings().root / "requirements/sign-in.in").read_text()


def test_the_realm_file_of_the_docs_fits_the_settings_and_holds_no_secret() -> None:
    realm = json.loads((settings().root / "docs/keycloak/onefold-realm.json").read_text())
    provider = identity_provider()
    assert provider is not None
    assert {group["name"] for group in realm["groups"]} == set(provider.groups)
    (client,) = realm["clients"]
    assert (client["clientId"], client["publicClient"], client["standardFlowEnabled"]) == (provider.client, True, True)
    assert not client["implicitFlowEnabled"] and not client["directAccessGrantsEnabled"]
    assert client["attributes"]["pkce.code.challenge.method"] == "S256"
    assert client["redirectUris"] == [f"{client['rootUrl']}/auth/oauth-authorized/{NAME}"]
    groups = next(each["config"] for each in client["protocolMappers"] if each["name"] == "groups")
    assert (groups["claim.name"], groups["full.path"], groups["id.token.claim"]) == (provider.claim, "false", "true")
    (social,) = realm["identityProviders"]
    assert not social["trustEmail"], "an address links no accounts"
    assert social["config"]["clientSecret"].startswith("${vault.")
    assert realm["accessTokenLifespan"] <= TOKEN_SECONDS
    assert not realm["registrationAllowed"]


def test_people_of_the_provider_have_no_password_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONEFOLD_PEOPLE", "ewa.nowa:engineer")
    assert airflow_users() == {SERVICE_ACCOUNT: "viewer"}
    with pytest.raises(Fatal, match="identity provider"):
        first_of("engineer")
    monkeypatch.delenv("ONEFOLD_OIDC_ISSUER")
    assert first_of("engineer").name == "ewa.nowa"
