"""Runs the service as a process of its own, to be killed: python -m tests.receive.serve URL PORT."""

from __future__ import annotations

import sys

import uvicorn

from onefold.receive.hooks import Hook
from onefold.receive.service import application
from onefold.receive.signatures import signing_keys
from tests.receive.signers import NOW, SENDERS

if __name__ == "__main__":
    sender = SENDERS["stripe"]
    hooks = {("s", "stripe"): Hook(sender.webhook, tuple(signing_keys(sender.webhook, [sender.secret])))}
    uvicorn.run(
        application(lambda: hooks, sys.argv[1], lambda: NOW),
        port=int(sys.argv[2]),
        log_level="warning",
        access_log=False,
    )
