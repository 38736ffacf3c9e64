"""The stand-in of KSeF: what it holds is valid FA(3), and it answers and refuses as the real one does."""

import base64
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator

import pytest
import requests
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.x509 import load_der_x509_certificate
from lxml import etree

from onefold.systems.ksef import form
from onefold.systems.ksef.form import _schema
from sandbox.ksef import api as ksef
from sandbox.ksef import facts, varieties
from sandbox.ksef.books import INVOICES, PURCHASES
from sandbox.ksef.documents import Document
from sandbox.world import World, business
from tests.sandbox.serving import served

NUMBER = re.compile(
    r"([1-9](\d[1-9]|[1-9]\d)\d{7})-(20[2-9]\d)(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])-[0-9A-F]{12}-[0-9A-F]{2}"
)
WORLD = World(240, books=ksef.STAND_IN.books)
Ask = Callable[..., requests.Response]


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch) -> Iterator[Ask]:
    """Posts a metadata query, signed in; KSeF's limits are kept."""
    monkeypatch.setenv("SANDBOX_KSEF_LIMITS", "1")
    with served("/ksef", ksef.routes(WORLD)) as url:
        headers = {"Authorization": f"Bearer {signed_in(url)}"}

        def asked(
            since: str = "2025-01-01T00:00:00Z", until: str = "2025-03-31T00:00:00", **params: int
        ) -> requests.Response:
            span = {"dateType": "PermanentStorage", "from": since, "to": until}
            body = {"subjectType": "Subject1", "dateRange": span}
            where = f"{url}/v2/invoices/query/metadata"
            return requests.post(where, json=body, params=params, headers=headers, timeout=30)

        yield asked


def signed_in(url: str, secret: str = "sandbox-secret") -> str:  # noqa: S107 - the sandbox's own
    certificates = requests.get(f"{url}/v2/security/public-key-certificates", timeout=30).json()
    mine = next(each for each in certificates if each["usage"] == ["KsefTokenEncryption"])
    key = load_der_x509_certificate(base64.b64decode(mine["certificate"])).public_key()
    challenge = requests.post(f"{url}/v2/auth/challenge", timeout=30).json()
    oaep = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
    given = key.encrypt(f"{secret}|{challenge['timestampMs']}".encode(), oaep)
    begun = requests.post(
        f"{url}/v2/auth/ksef-token",
        json={
            "challenge": challenge["challenge"],
            "contextIdentifier": {"type": "Nip", "value": business.OUR_NIP},
            "encryptedToken": base64.b64encode(given).decode(),
        },
        timeout=30,
    ).json()
    headers = {"Authorization": f"Bearer {begun['authenticationToken']['token']}"}
    for state in (100, 200):
        said = requests.get(f"{url}/v2/auth/{begun['referenceNumber']}", headers=headers, timeout=30).json()
        assert said["status"]["code"] == state
    tokens = requests.post(f"{url}/v2/auth/token/redeem", headers=headers, timeout=30).json()
    assert requests.post(f"{url}/v2/auth/token/redeem", headers=headers, timeout=30).status_code == 400  # once only
    return tokens["accessToken"]["token"]


@pytest.mark.parametrize(("book", "bought"), [(INVOICES, False), (PURCHASES, True)])
def test_every_sound_invoice_is_valid_and_agrees_with_what_is_said_of_it(book, bought):
    for entry in WORLD.shelf(book.name).entries:
        document = Document(WORLD.seed, WORLD.base_size, entry, bought)
        xml = document.xml()
        said = document.metadata(xml)
        assert NUMBER.fullmatch(said["ksefNumber"])
        assert said["ksefNumber"][:10] == said["seller"]["nip"]
        assert said["formCode"]["systemCode"] == document.form
        assert said["grossAmount"] == float(document.gross)
        assert 0 <= document.gross - document.of.order.gross <= (facts.ROUNDING if bought else 0)
        if document.form == "FA (3)" and entry.broken in (None, "amount_not_a_number"):
            tree = etree.fromstring(xml)
            assert _schema().validate(tree), (document.variety, _schema().error_log)
            assert tree.findtext(".//{*}P_15") == f"{document.gross}"
            assert tree.findtext(".//{*}P_2") == said["invoiceNumber"]
        elif not entry.broken:
            body = form.part(form.read(xml) or {}, "Fa")
            assert (body["P_15"], body["P_2"]) == (f"{document.gross}", said["invoiceNumber"])


def test_a_tenth_and_more_are_of_less_common_kinds_and_of_each_kind_there_is_one():
    world = World(2000, books=(INVOICES, PURCHASES))
    for book, kinds, bought in ((INVOICES, varieties.SALES, False), (PURCHASES, varieties.PURCHASES, True)):
        found = [Document(7, 2000, entry, bought) for entry in world.shelf(book.name).entries]
        counted = Counter(document.variety for document in found)
        assert counted.keys() == {None, *kinds}
        assert sum(counted.values()) - counted[None] > len(found) / 10
        assert Counter(document.form for document in found)["FA (2)"] > len(found) / 20
        assert {document.type for document in found} >= {"Vat", "Kor", "Zal", "Upr", "KorZal"}


def test_metadata_come_page_by_page_by_their_index_and_in_order(ask: Ask):
    first, second = (ask(pageOffset=place, pageSize=10).json() for place in (0, 1))
    dates = [each["permanentStorageDate"] for page in (first, second) for each in page["invoices"]]
    assert (first["hasMore"], second["hasMore"]) == (True, False)
    assert 10 < len(set(dates)) <= len(dates) < 20
    assert dates == sorted(dates)
    assert all(re.fullmatch(r"2025-0[1-3]-.*\.\d{7}\+00:00", date) for date in dates)


@pytest.mark.parametrize("wrong", [{"pageSize": 9}, {"pageSize": 251}, {"until": "2025-06-30T00:00:00Z"}])
def test_what_ksef_does_not_take_is_refused_with_its_code(ask: Ask, wrong: dict[str, object]):
    answer = ask(**wrong)
    assert answer.status_code == 400
    assert answer.json()["exception"]["exceptionDetailList"][0]["exceptionCode"] == 21405


def test_more_than_twenty_questions_an_hour_are_refused_and_it_says_when_to_come_back(
    ask: Ask, monkeypatch: pytest.MonkeyPatch
):
    clock, moved = time.monotonic, [0.0]
    monkeypatch.setattr("sandbox.ksef.api.time.monotonic", lambda: clock() + moved[0])
    for _ in range(20):
        assert ask(pageSize=10).status_code == 200
        moved[0] += 5
    refused = ask(pageSize=10)
    assert refused.status_code == 429
    assert 3400 < int(refused.headers["Retry-After"]) <= 3600
    assert "20 żądań" in refused.json()["status"]["details"][0]
