"""The draft of each description in tests/draft/descriptions passes `check` and loads its own examples to their end."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import yaml

from onefold.catalog.data_protection import check_data_protection
from onefold.catalog.reader import Catalog, read_systems
from onefold.catalog.system import System
from onefold.draft.trial import try_stream
from onefold.errors import Fatal
from onefold.http.endpoint import Endpoint
from onefold.settings import ROOT
from tests.draft.drafting import DESCRIPTIONS, Examples, drafted, drafted_text, examples_of, pages, with_privacy
from tests.http.web_server import Asked, Say, serving

OPENAPI = [
    ("github.yaml", "", {"repos": 2}),
    ("stripe.json", "", {"invoices": 2}),
    ("petstore/swagger.yaml", "/v1", {"pets": 2}),
    ("datasets.yaml", "/ds-api", {"apis": 2}),
    ("contacts.yaml", "", {"contacts": 2, "contacts_search": 2}),
    ("orders.yaml", "/api/v2", {"orders": 1}),
]
PEOPLE = [
    {"UserName": "russell", "FirstName": "Russell", "Gender": "Male", "Age": None, "Emails": ["r@example.com"],
     "HomeAddress": {"Address": "187 Suffolk Ln.", "City": {"Name": "Boise", "Region": "ID"}}},
    {"UserName": "scott", "FirstName": "Scott", "Gender": "Female", "Age": 33, "Emails": [],
     "HomeAddress": {"Address": "2817 Milton Dr.", "City": {"Name": "Albuquerque", "Region": "NM"}}},
]  # fmt: skip
MANAGERS = [
    {
        **PEOPLE[0],
        "Cost": 1.5,
        "cost": 2.25,
        "Budget": 10000000,
        "ModifiedAt": "2026-01-01T00:00:00Z",
        "CreatedAt": None,
    }
]
PARTNERS = [
    {"BusinessPartner": "0001", "SearchTerm1": "ACME", "BusinessPartnerIsBlocked": False,
     "CreationDate": "/Date(1500000000000)/", "CreationTime": "PT10H00M00S",
     "LastChangeDate": "/Date(1600000000000)/", "LastChangeTime": "PT11H22M33S"},
]  # fmt: skip
ODATA = [
    ("trippin.xml", {"/People": {"value": PEOPLE}, "/Managers": {"value": MANAGERS}}, {"people": 2, "managers": 1}),
    (
        "business_partner.xml",
        {
            "/A_BusinessPartner": {"d": {"results": PARTNERS, "__count": "1"}},
            "/A_Address": {"d": {"results": [{"BusinessPartner": "1", "AddressID": "7", "ChangedAt": None}]}},
        },
        {"a_business_partner": 1, "a_address": 1},
    ),
]
WORKERS = """<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>
<c:{0}Response xmlns:c="http://example.com/countries">{1}</c:{0}Response></s:Body></s:Envelope>"""
COUNTRIES = "".join(
    f"<c:tCountryCodeAndName><c:sISOCode>{code}</c:sISOCode><c:sName>{name}</c:sName></c:tCountryCodeAndName>"
    for code, name in (("PL", "Poland"), ("DE", "Germany"), ("CZ", "Czechia"))
)
ONE_WORKER = (
    "<c:Total_Results>1</c:Total_Results><c:Worker><c:Worker_ID>W1</c:Worker_ID><c:Salary>100.50</c:Salary>"
    "<c:Last_Modified>2026-01-02T03:04:05Z</c:Last_Modified><c:Hired>2020-01-01</c:Hired></c:Worker>"
)


def checked(text: str, tmp_path: Path) -> System:
    """The system of a draft that `check` accepts once its privacy is said."""
    folder = tmp_path / "catalog" / "systems"
    folder.mkdir(parents=True)
    (folder / "made_up.yaml").write_text(with_privacy(text))
    shutil.copy(ROOT / "catalog" / "privacy.yaml", tmp_path / "catalog")
    systems = read_systems(folder)
    check_data_protection(Catalog(systems, {}), tmp_path)
    return systems["made_up"]


def loads(system: System, url: str, wanted: dict[str, int]) -> None:
    """Each stream's trial passes, and reading it to its end gives as many records, each once."""
    endpoint = Endpoint(url, "onefold", "not-a-secret", {"token_url": f"{url}/token"})
    assert system.streams.keys() == wanted.keys()
    for name, count in wanted.items():
        trial = try_stream(system, name, endpoint)
        assert (trial.failed, trial.problems, trial.records) == (None, (), count), name
        assert not [field.name for field in trial.fields if field.declared is None], name
        keys = [record.key for page in pages(system, name, endpoint) for record in page.records]
        assert len(keys) == len(set(keys)) == count and None not in keys, name


@pytest.mark.parametrize(("file", "base", "wanted"), OPENAPI, ids=[file for file, _, _ in OPENAPI])
def test_an_openapi_description_passes_check_and_loads_its_examples(
    file: str, base: str, wanted: dict[str, int], tmp_path: Path
) -> None:
    system = checked(drafted_text("openapi", DESCRIPTIONS / file), tmp_path)
    examples = Examples(system, examples_of(DESCRIPTIONS / file, base))
    token = json.dumps({"access_token": "t", "token_type": "Bearer", "expires_in": 900}).encode()
    with serving() as web:
        web.answer = lambda asked: Say(body=token) if asked.path.endswith("/token") else examples(asked)
        if file == "orders.yaml":
            system = system.model_copy(update={"auth": system.auth.model_copy(update={"token_path": "/token"})})
        loads(system, web.url, wanted)


def test_what_is_listed_below_each_record_of_another_stream_is_its_child_and_loads(tmp_path: Path) -> None:
    document = yaml.safe_load((DESCRIPTIONS / "github.yaml").read_text())
    listing = document["paths"]["/user/repos"]["get"]["responses"]
    below = {
        "/user/repos/{id}/issues": ["number", "node_id"],
        "/user/repos/{id}/issues/{number}/comments": ["id", "body"],
        "/user/repos/{id}/issues/{number}": None,
    }
    for path, names in below.items():
        schema = {"type": "object", "properties": {name: {"type": "string"} for name in names or ["number"]}}
        body = schema if names is None else {"type": "array", "items": schema}
        document["paths"][path] = {"get": {"responses": {"200": {"content": {"application/json": {"schema": body}}}}}}
    (tmp_path / "api.json").write_text(json.dumps(document, default=str))
    system = checked(drafted_text("openapi", tmp_path / "api.json", "--stream", "comments"), tmp_path)
    assert list(system.streams) == ["repos", "issues", "comments"]  # those that it is listed below come along
    parent = system.streams["comments"].parent
    assert parent and (parent.stream, parent.fill) == ("issues", {"repo_id": "repo_id", "issue_number": "number"})
    assert system.streams["comments"].request.path == "/user/repos/{repo_id}/issues/{issue_number}/comments"
    assert system.streams["comments"].primary_key == ["issue_number", "repo_id", "id"]
    assert system.streams["comments"].fields["repo_id"].type == "integer"
    repos = listing["200"]["content"]["application/json"]["example"]

    def answer(asked: Asked) -> Say:
        rows = [{"number": "1", "node_id": "a"}] if asked.path.endswith("issues") else [{"id": "c", "body": "B"}]
        return Say(body=json.dumps(repos if asked.path.endswith("repos") else rows, default=str).encode())

    with serving() as web:
        web.answer = answer
        trial = try_stream(system, "comments", Endpoint(web.url))
        assert (trial.failed, trial.problems, trial.records, trial.requests) == (None, (), 1, 3)
        found = [record.key for page in pages(system, "comments", Endpoint(web.url)) for record in page.records]
    assert sorted(found) == ['["1","1296269","c"]', '["1","1296270","c"]']


@pytest.mark.parametrize(("file", "answers", "wanted"), ODATA, ids=[file for file, _, _ in ODATA])
def test_an_edmx_passes_check_and_loads_its_examples(
    file: str, answers: dict[str, object], wanted: dict[str, int], tmp_path: Path
) -> None:
    system = checked(drafted_text("edmx", DESCRIPTIONS / file), tmp_path)
    with serving() as web:
        web.answer = lambda asked: Say(body=json.dumps(answers[asked.path]).encode())
        loads(system, web.url, wanted)
        selected = {name for asked in web.asked for name in asked.params["$select"].split(",")}
    assert "HomeAddress" in selected or "BusinessPartner" in selected


def test_a_wsdl_passes_check_and_loads_its_examples(tmp_path: Path) -> None:
    system = checked(drafted_text("wsdl", DESCRIPTIONS / "countries.wsdl"), tmp_path)

    def answer(asked: Asked) -> Say:
        if asked.method == "GET":
            return Say(
                body=(DESCRIPTIONS / ("countries.xsd" if "xsd" in asked.path else "countries.wsdl")).read_bytes()
            )
        workers = b"Get_Workers" in asked.body
        name, rows = ("Get_Workers", ONE_WORKER) if workers else ("ListOfCountryNamesByName", COUNTRIES)
        return Say(body=WORKERS.format(name, rows).encode(), headers={"Content-Type": "text/xml"})

    with serving() as web:
        web.answer = answer
        loads(system, web.url, {"list_of_country_names_by": 3, "get_workers": 1})


def test_what_is_drafted_of_a_description_says_what_was_guessed() -> None:
    """One look at a whole draft: base path, sign-in, list, page, key, types, names, marks, what was left out."""
    text = drafted_text("openapi", DESCRIPTIONS / "orders.yaml")
    system = drafted("openapi", DESCRIPTIONS / "orders.yaml")
    stream = system.streams["orders"]
    assert (system.auth.kind, system.auth.token_path, system.auth.scope) == (
        "oauth2_client_credentials", "/oauth/token", "read",
    )  # fmt: skip
    assert stream.request.path == "/api/v2/orders"
    assert stream.request.params == {
        "tenant": "TODO", "lang": "pl", "modifiedAfter": "{start}", "modifiedBefore": "{end}",
    }  # fmt: skip
    assert (stream.records, stream.next.kind, stream.next.path) == ("_embedded.records", "url", "_links.next.href")
    assert stream.primary_key == ["Number"]
    kinds = {name: field.type for name, field in stream.fields.items()}
    assert kinds == {
        "Message": "text", "Number": "text", "number_2": "integer", "state": "text", "total": "numeric",
        "count": "integer", "note": "integer", "lines": "json", "kwota_brutto": "numeric", "modifiedAt": "timestamp",
        "any": "json",
    }  # fmt: skip
    assert (stream.fields["number_2"].path, stream.fields["kwota_brutto"].path) == ("number", "Kwota brutto")
    for mark in (
        "orders: # check: the description calls it deprecated",
        "# check: that modifiedAfter means changed since then; what to send as tenant",
        "records: _embedded.records # check: it is a guess, the answer has the lists warnings too",
        "primary_key: [Number] # check: it is a guess",
        "# check: number_2 is number of the source, whose name is there twice but for case",
    ):
        assert mark in text
    assert "# not drafted: GET /ping: its answer has no list of objects" in text
    assert "password" not in text.split("streams:")[1]


def test_how_pages_go_on_is_taken_from_parameters_and_answers() -> None:
    found = {
        file: {
            name: stream.next.model_dump(exclude_defaults=True)
            for name, stream in drafted("openapi", path).streams.items()
        }
        for file, _, _ in OPENAPI
        if (path := DESCRIPTIONS / file)
    }
    assert found == {
        "github.yaml": {"repos": {"kind": "link"}},
        "stripe.json": {
            "invoices": {"kind": "after", "field": "id", "more": "has_more", "parameter": "starting_after"}
        },
        "petstore/swagger.yaml": {"pets": {"kind": "offset", "parameter": "offset"}},
        "datasets.yaml": {"apis": {}},
        "contacts.yaml": {
            "contacts": {"kind": "token", "path": "paging.next.after", "parameter": "after"},
            "contacts_search": {"kind": "token", "path": "paging.next.after", "parameter": "after", "place": "body"},
        },
        "orders.yaml": {"orders": {"kind": "url", "path": "_links.next.href"}},
    }  # fmt: skip
    assert "; nothing in the description says how pages go on" in drafted_text(
        "openapi", DESCRIPTIONS / "datasets.yaml"
    )


def test_paths_with_parameters_and_operations_that_write_are_named_and_not_drafted() -> None:
    text = drafted_text("openapi", DESCRIPTIONS / "github.yaml")
    assert "# not drafted: GET /repos/{owner}/{repo}/issues: asked for once for each of /repos/{owner}, " in text
    assert "POST" not in text and "GET /repos/{owner}/{repo}:" not in text
    searched = drafted("openapi", DESCRIPTIONS / "contacts.yaml").streams["contacts_search"].request
    assert (searched.method, json.loads(searched.body or "")) == ("POST", {"limit": 100, "sorts": ["updatedAt"]})
    wsdl = drafted_text("wsdl", DESCRIPTIONS / "countries.wsdl")
    for name, verb in (
        ("sendEmail", "send"), ("Put_Worker_Photo", "put"), ("usunDokument", "usun"),
        ("RechnungStornieren", "stornieren"),
    ):  # fmt: skip
        assert f"# not drafted: {name}: by its name ({verb}) it changes something" in wsdl
    assert "# not drafted: CapitalCity: its answer has no list" in wsdl


def test_what_a_soap_operation_is_sent_is_guessed_from_its_parameters_and_marked() -> None:
    stream = drafted("wsdl", DESCRIPTIONS / "countries.wsdl").streams["get_workers"]
    assert stream.request.params == {
        "Updated_From": "{start}", "Updated_To": "{end}", "PageSize": "100", "Tenant": "TODO",
    }  # fmt: skip
    following = stream.next.model_dump(exclude_unset=True)
    assert following == {"kind": "number", "parameter": "Page", "first": 1, "total": "Total_Results"}
    text = drafted_text("wsdl", DESCRIPTIONS / "countries.wsdl")
    for mark in (
        "how many PageSize may ask for",
        "what to send as Tenant",
        "that Updated_From means changed since then",
    ):
        assert mark in text


def test_the_types_of_xml_schema_and_those_derived_from_them_are_drafted_as_what_they_hold() -> None:
    fields = drafted("wsdl", DESCRIPTIONS / "countries.wsdl").streams["get_workers"].fields
    assert {name: field.type for name, field in fields.items()} == {
        "Worker_ID": "text", "Salary": "numeric", "Last_Modified": "timestamp", "Hired": "date", "Left": "date",
        "Grade": "integer", "Floor": "integer", "Bonus": "numeric", "Badge": "numeric", "Desk": "integer",
        "Starts": "text",
    }  # fmt: skip


def test_the_types_of_odata_are_drafted_as_its_json_gives_them(tmp_path: Path) -> None:
    kinds = {
        "Edm.GeographyPoint": "json", "Edm.GeometryPolygon": "json", "Edm.Untyped": "json", "Collection(S.T)": "json",
        "Edm.Guid": "text", "Edm.TimeOfDay": "text", "Edm.SByte": "integer", "Edm.Int64": "integer",
        "Edm.Decimal": "numeric", "Edm.Single": "numeric", "Edm.Date": "date", "Edm.DateTimeOffset": "timestamp",
    }  # fmt: skip
    properties = "".join(f'<Property Name="v{at}" Type="{kind}"/>' for at, kind in enumerate(kinds))
    (tmp_path / "metadata.xml").write_text(
        '<Edmx Version="4.0"><Schema Namespace="S"><EntityType Name="T"><Key><PropertyRef Name="v4"/></Key>'
        f'{properties}</EntityType><EntityContainer Name="C"><EntitySet Name="Things" EntityType="S.T"/>'
        "</EntityContainer></Schema></Edmx>"
    )
    fields = drafted("edmx", tmp_path / "metadata.xml").streams["things"].fields
    assert {kind: fields[f"v{at}"].type for at, kind in enumerate(kinds)} == kinds


def test_edmx_follows_base_types_complex_types_and_what_the_service_says_it_can() -> None:
    text = drafted_text("edmx", DESCRIPTIONS / "trippin.xml")
    manager = drafted("edmx", DESCRIPTIONS / "trippin.xml").streams["managers"]
    assert manager.primary_key == ["UserName"]
    assert {"Budget", "Cost", "cost_2", "HomeAddress_City_Name"} <= manager.fields.keys()
    assert manager.fields["cost_2"].path == "cost"
    assert (manager.cursor.fields, manager.cursor.fallback) == (["ModifiedAt"], ["CreatedAt"])
    for said in (
        "# not drafted: Ratings: its type has no key",
        "# not drafted: Secrets: the service does not let it be read (ReadRestrictions)",
        "nothing is deleted through this service",
    ):
        assert said in text
    sap = drafted("edmx", DESCRIPTIONS / "business_partner.xml")
    assert sap.streams["a_business_partner"].title == "Business Partner"
    assert sap.streams["a_business_partner"].fields["SearchTerm1"].personal == "organisation"
    assert sap.streams["a_business_partner"].cursor.fallback == ["CreationDate", "CreationTime"]
    assert sap.streams["a_address"].cursor is None
    assert "sap:addressable=false" in drafted_text("edmx", DESCRIPTIONS / "business_partner.xml")


def test_a_description_is_read_from_the_web_with_what_stands_beside_it_and_within_limits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def answer(asked: Asked) -> Say:
        if asked.headers.get("Authorization") != "Bearer s3cret":
            return Say(status=401)
        return Say(body=(DESCRIPTIONS / asked.path.lstrip("/")).read_bytes())

    with serving() as web:
        web.answer = answer
        address = f"{web.url}/petstore/swagger.yaml?key=s3cret"
        with pytest.raises(Fatal, match=r"answered with status 401.*--connection"):
            drafted("openapi", address)
        monkeypatch.setenv(
            "AIRFLOW_CONN_PETS", json.dumps({"conn_type": "http", "host": web.url, "password": "s3cret"})
        )
        text = drafted_text("openapi", address, "--connection", "pets")
        assert "s3cret" not in text and "/petstore/swagger.yaml" in text
        monkeypatch.setenv("PLACE", f"{web.url}/petstore/swagger.yaml")
        assert "pets" in drafted("openapi", "env:PLACE", "--connection", "pets").streams
        with pytest.raises(Fatal, match="LOCATION holds a login"):
            drafted("openapi", address.replace("://", "://me:s3cret@"))
        monkeypatch.setattr("onefold.draft.origin.LARGEST", 100)
        with pytest.raises(Fatal, match="larger than"):
            drafted("openapi", address, "--connection", "pets")


def test_a_wsdl_is_read_from_the_web_or_a_file_with_what_it_imports_beside_it(tmp_path: Path) -> None:
    with serving() as web:
        web.answer = lambda asked: Say(body=(DESCRIPTIONS / asked.path.lstrip("/")).read_bytes())
        system = drafted("wsdl", f"{web.url}/countries.wsdl?wsdl")
        assert "get_workers" in system.streams and system.wsdl == "/countries.wsdl?wsdl"
        assert "get_workers" in drafted("wsdl", f"{web.url}/countries.wsdl").streams
        asked = len(web.asked)
        text = (DESCRIPTIONS / "countries.wsdl").read_text()
        file = tmp_path / "countries.wsdl"
        file.write_text(text.replace('"countries.xsd"', f'"{web.url}/types/countries.xsd"'))
        with pytest.raises(Fatal, match=r"imports http://127.0.0.1/…/countries.xsd: save that file beside it"):
            drafted("wsdl", file)
        shutil.copy(DESCRIPTIONS / "countries.xsd", tmp_path)
        assert "get_workers" in drafted("wsdl", file).streams
        assert len(web.asked) == asked  # what a file imports from elsewhere is not fetched
    file.write_text(text.replace('"countries.xsd"', '"../../../etc/hostname"'))
    with pytest.raises(Fatal, match="outside of its folder"):
        drafted("wsdl", file)


OAUTH = {"tokenUrl": "https://login.example.com/oauth/token", "scopes": {"read": "", "write": ""}}


@pytest.mark.parametrize(
    ("scheme", "auth"),
    [
        ({"type": "http", "scheme": "basic"}, {"kind": "basic"}),
        ({"type": "http", "scheme": "digest"}, {"kind": "digest"}),
        ({"type": "http", "scheme": "bearer"}, {"kind": "bearer"}),
        ({"type": "apiKey", "in": "header", "name": "X-Key"}, {"kind": "api_key", "header": "X-Key"}),
        ({"type": "apiKey", "in": "query", "name": "key"}, {"kind": "api_key", "query": "key"}),
        ({"type": "apiKey", "in": "header", "name": "Authorization"}, {"kind": "api_key"}),
        ({"type": "mutualTLS"}, {"kind": "none", "mtls": True}),
        (
            {"type": "oauth2", "flows": {"authorizationCode": OAUTH, "clientCredentials": OAUTH}},
            {"kind": "oauth2_client_credentials", "token_path": "/oauth/token"},
        ),
        ({"type": "oauth2", "flows": {"password": OAUTH}}, {"kind": "oauth2_password", "token_path": "/oauth/token"}),
        (
            {"type": "oauth2", "flows": {"authorizationCode": OAUTH}},
            {"kind": "oauth2_refresh_token", "token_path": "/oauth/token"},
        ),
    ],
)
def test_each_kind_of_sign_in_that_a_description_may_name_is_the_catalogues(
    scheme: dict[str, object], auth: dict[str, object], tmp_path: Path
) -> None:
    document = yaml.safe_load((DESCRIPTIONS / "datasets.yaml").read_text())
    document["components"] = {
        "securitySchemes": {"cookie": {"type": "apiKey", "in": "cookie", "name": "c"}, "one": scheme}
    }
    (tmp_path / "api.json").write_text(json.dumps(document))
    given = drafted("openapi", tmp_path / "api.json").auth
    assert given.model_dump(exclude_unset=True) == auth
    lines = drafted_text("openapi", tmp_path / "api.json").splitlines()
    assert "# check: " in next(line for line in lines if line.startswith("auth: "))
