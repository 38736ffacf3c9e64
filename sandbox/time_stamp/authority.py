"""A time-stamp authority with a root of its own, made and answered by openssl's `ts` command.

Wire: RFC 3161, 3.4: a POST of application/timestamp-query, answered by application/timestamp-reply.
"""

from __future__ import annotations

import subprocess
import tempfile
import threading
from dataclasses import dataclass, field
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

_CONFIG = """
[req]
distinguished_name = name
prompt = no
[name]
CN = Onefold sandbox
[root]
basicConstraints = critical,CA:true
keyUsage = critical,keyCertSign
[stamper]
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,timeStamping
[tsa]
serial = $dir/serial
signer_cert = $dir/tsa.pem
signer_key = $dir/tsa.key
certs = $dir/root.pem
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
accuracy = secs:1
ess_cert_id_alg = sha256
"""


@dataclass(frozen=True)
class Authority:
    """Its keys and serial number are in `folder`; they are made when they are first needed."""

    folder: Path
    _turn: threading.Lock = field(default_factory=threading.Lock)

    @property
    def roots(self) -> Path:
        """The PEM file of its root certificate."""
        with self._turn:
            return self._made() / "root.pem"

    def reply(self, query: bytes) -> bytes:
        """The answer to a query, both DER; to what is no query, one whose status is rejection."""
        with self._turn, tempfile.TemporaryDirectory() as work:
            made = self._made()
            asked, answer = Path(work, "query.tsq"), Path(work, "answer.tsr")
            asked.write_bytes(query)
            section = ("-config", made / "openssl.cnf", "-section", "tsa")
            _openssl("ts", "-reply", *section, "-queryfile", asked, "-out", answer)
            return answer.read_bytes()

    def _made(self) -> Path:
        folder = self.folder
        if (folder / "serial").exists():
            return folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        config = folder / "openssl.cnf"
        config.write_text(_CONFIG.replace("$dir", str(folder)))
        key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-config", config)
        root = ("-keyout", folder / "root.key", "-out", folder / "root.pem")
        _openssl("req", "-x509", "-days", "3650", "-subj", "/CN=Sandbox root", "-extensions", "root", *key, *root)
        stamper = ("-keyout", folder / "tsa.key", "-out", folder / "tsa.pem")
        issuer = ("-CA", folder / "root.pem", "-CAkey", folder / "root.key")
        _openssl(
            "req",
            "-x509",
            "-days",
            "3650",
            "-subj",
            "/CN=Sandbox TSA",
            "-extensions",
            "stamper",
            *key,
            *stamper,
            *issuer,
        )
        (folder / "serial").write_text("01\n")
        return folder


def routes(authority: Authority) -> list[Route]:
    """POST / stamps, GET /root.pem is the root that its stamps lead to."""

    async def stamped(request: Request) -> Response:
        answer = await run_in_threadpool(authority.reply, await request.body())
        return Response(answer, media_type="application/timestamp-reply")

    def root(_: Request) -> Response:
        return Response(authority.roots.read_bytes(), media_type="application/x-pem-file")

    return [Route("/", stamped, methods=["POST"]), Route("/root.pem", root, methods=["GET"])]


def _openssl(*arguments: str | Path) -> None:
    subprocess.run(["openssl", *map(str, arguments)], capture_output=True, check=True, timeout=20)
