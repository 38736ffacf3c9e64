"""The real sandbox, as a process of its own, once for the whole test session."""

import base64
from collections.abc import Callable, Iterator

import pytest
import requests

from sandbox.process import Sandbox, running


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    """A running sandbox of 200 companies; parametrise indirectly for another number."""
    companies = getattr(request, "param", 200)
    with running(tmp_path_factory.mktemp("sandbox"), companies) as handle:
        yield handle


@pytest.fixture
def unharmed(sandbox: Sandbox) -> Iterator[Sandbox]:
    """The sandbox in its base world, without faults, before and after the test."""
    sandbox.control("reset")
    yield sandbox
    sandbox.control("reset")


@pytest.fixture
def salesforce(unharmed: Sandbox) -> Callable[..., requests.Response]:
    """Asks Salesforce: a SOQL text (`everything` for queryAll), or an address; `job` is posted there."""
    token = requests.post(
        f"{unharmed.url}/salesforce/services/oauth2/token",
        data={
            "grant_type": "client_credentials",
            "client_id": "onefold",
            "client_secret": "sandbox-secret",
        },
        timeout=30,
    ).json()
    headers = {"Authorization": f"Bearer {token['access_token']}", "Sforce-Query-Options": "batchSize=200"}

    def ask(question: str, everything: bool = True, job: dict[str, str] | None = None) -> requests.Response:
        if job:
            return requests.post(f"{token['instance_url']}{question}", json=job, headers=headers, timeout=30)
        if question.startswith("/"):
            return requests.get(f"{token['instance_url']}{question}", headers=headers, timeout=30)
        url = f"{token['instance_url']}/services/data/v62.0/{'queryAll' if everything else 'query'}"
        return requests.get(url, params={"q": question}, headers=headers, timeout=30)

    return ask


@pytest.fixture
def sap(unharmed: Sandbox) -> Callable[..., requests.Response]:
    """Asks SAP: options of a query on an entity set (of `service`), or a __next link."""
    basic = base64.b64encode(b"ONEFOLD:sandbox-secret").decode()

    def ask(
        link: str = "A_BusinessPartner", service: str = "/sap/opu/odata/sap/API_BUSINESS_PARTNER", **options: str
    ) -> requests.Response:
        url = link
        if not link.startswith("http"):
            url = f"{unharmed.url}{service}/{link}"
            options = {"format": "json", **options}
        params = {f"${name}": value for name, value in options.items()}
        return requests.get(url, params=params, headers={"Authorization": f"Basic {basic}"}, timeout=30)

    return ask
