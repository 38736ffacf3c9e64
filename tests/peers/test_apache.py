"""A real Apache: it lets us in by digest and by a client certificate, and nobody who is wrong."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from onefold.errors import Fatal, Retriable
from onefold.http.endpoint import Endpoint
from onefold.platform.postgres import free_port
from tests.debian import libraries, unpack
from tests.foreign_server import answers_http, started
from tests.http.calls import Out
from tests.http.test_client_certificate import AUTHORITY, CLIENT, SERVER, STRANGER, Identity
from tests.platform.polling import until

pytestmark = pytest.mark.peers
PACKAGE = "apache2-bin"
SECRET = "pass:word ąę"
MODULES = ("mpm_event", "authn_core", "authn_file", "auth_digest", "authz_core", "authz_user", "ssl", "socache_shmcb")
CONFIGURATION = """
ServerRoot "{root}"
ServerName 127.0.0.1
PidFile "{root}/pid"
Mutex posixsem
ErrorLog "{root}/error.log"
DocumentRoot "{root}/files"
Listen 127.0.0.1:{port}
Listen 127.0.0.1:{tls_port}
{modules}
{account}
<Directory "{root}/files">
    Require all denied
</Directory>
<Location "/digest">
    AuthType Digest
    AuthName "the \\"files\\""
    AuthDigestProvider file
    AuthUserFile "{root}/digests"
    AuthDigestNonceLifetime 2
    Require valid-user
</Location>
<VirtualHost 127.0.0.1:{tls_port}>
    SSLEngine on
    SSLCertificateFile "{root}/server.pem"
    SSLCACertificateFile "{root}/authority.pem"
    <Location "/">
        SSLVerifyClient require
        Require all granted
    </Location>
</VirtualHost>
"""


class Apache:
    """Where it listens."""

    def __init__(self, root: Path) -> None:
        self.root, self.port, self.tls_port = root, free_port(), free_port()
        self.url, self.tls_url = f"http://127.0.0.1:{self.port}", f"https://127.0.0.1:{self.tls_port}"


@pytest.fixture(scope="module")
def apache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Apache]:
    unpacked = tmp_path_factory.mktemp("apache")
    installed = shutil.which("apache2", path=f"{os.environ['PATH']}:/usr/sbin")
    if not installed:
        unpack(PACKAGE, unpacked)
    base = Path("/") if installed else unpacked
    with tempfile.TemporaryDirectory() as folder:  # pytest's are root's alone, and Apache is not root while it answers
        Path(folder).chmod(0o755)
        with serving(Path(folder), base, unpacked) as server:
            yield server


@contextmanager
def serving(root: Path, base: Path, unpacked: Path) -> Iterator[Apache]:
    server = Apache(root)
    (root / "files" / "digest").mkdir(parents=True)
    (root / "files" / "digest" / "items").write_text('{"of": "digest"}')
    (root / "files" / "items").write_text('{"of": "tls"}')
    realm = 'the "files"'
    hashed = hashlib.md5(f"anna:{realm}:{SECRET}".encode(), usedforsecurity=False).hexdigest()
    (root / "digests").write_text(f"anna:{realm}:{hashed}\n")
    (root / "server.pem").write_text(SERVER.pem + SERVER.key_pem())
    (root / "authority.pem").write_text(AUTHORITY.pem)
    built_in = subprocess.run(
        [base / "usr/sbin/apache2", "-l"], capture_output=True, text=True, env=environment(unpacked), check=True
    ).stdout
    loaded = [
        f"LoadModule {each}_module {base}/usr/lib/apache2/modules/mod_{each}.so"
        for each in MODULES
        if f"mod_{each}.c" not in built_in
    ]
    (root / "apache.conf").write_text(
        CONFIGURATION.format(
            root=root,
            port=server.port,
            tls_port=server.tls_port,
            modules="\n".join(loaded),
            account="User nobody\nGroup nogroup" if os.geteuid() == 0 else "",
        )
    )
    command = [base / "usr/sbin/apache2", "-X", "-f", root / "apache.conf"]
    log = root / "error.log"
    with log.open("ab") as output:
        process = subprocess.Popen(command, env=environment(unpacked), stdout=output, stderr=output)
    with started(process, log, lambda: answers_http(server.url)):
        yield server


def environment(unpacked: Path) -> dict[str, str]:
    return {**os.environ, **({"LD_LIBRARY_PATH": libraries(unpacked)} if any(unpacked.iterdir()) else {})}


def test_digest_signs_every_request_also_when_the_nonce_has_ended(apache: Apache) -> None:
    out = Out(apache.url, endpoint=Endpoint(apache.url, "anna", SECRET), auth={"kind": "digest"})
    for page in ("1", "2 ą", "3"):
        assert out.get("/digest/items", page=page) == {"of": "digest"}
    assert [attempt.status for attempt in out.attempts] == [401, 200, 200, 200]

    def refused_again() -> bool:
        assert out.get("/digest/items", page="4") == {"of": "digest"}
        return [attempt.status for attempt in out.attempts[-2:]] == [401, 200]

    until(refused_again)  # the nonce lives for two seconds


def test_a_wrong_password_is_refused_by_name(apache: Apache) -> None:
    out = Out(apache.url, endpoint=Endpoint(apache.url, "anna", "wrong"), auth={"kind": "digest"})
    with pytest.raises(Fatal, match=r"status 401.*'shop_api'"):
        out.get("/digest/items")


@pytest.mark.parametrize(("shown", "let_in"), [(CLIENT, True), (STRANGER, False)], ids=["ours", "a stranger's"])
def test_a_client_certificate_lets_in_whom_its_authority_has_signed_for(
    apache: Apache, monkeypatch: pytest.MonkeyPatch, shown: Identity, let_in: bool
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(apache.root / "authority.pem"))
    extra = {"certificate": shown.pem, "private_key": shown.key_pem()}
    out = Out(apache.tls_url, endpoint=Endpoint(apache.tls_url, None, None, extra), auth={"mtls": True})
    if let_in:
        assert out.get() == {"of": "tls"}
    else:
        with pytest.raises((Fatal, Retriable), match="client certificate"):
            out.get()
