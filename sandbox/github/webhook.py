"""Stand-in of GitHub's webhooks: somebody opens an issue.

Wire: docs.github.com "Webhook events and payloads" (issues), "Validating webhook deliveries"; the body has the members
of @octokit/webhooks-examples that say what happened, and not their many addresses.
"""

import secrets
import time
import uuid
from datetime import UTC, datetime

from sandbox.stand_in import Happened, StandIn
from sandbox.wire.webhook import body_of, post, signature
from sandbox.world import World

SIGNING_SECRET = "sandbox-secret"
REPOSITORY = "onefold-sandbox/price-list"


def open_issue(_: World) -> Happened:
    """An issue is opened, and GitHub says so."""
    number = int(time.time() * 10) % 10_000_000
    at, key = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), secrets.randbelow(1 << 40)
    sender = {"login": "octocat", "id": 583231, "type": "User", "site_admin": False}
    body = body_of(
        {
            "action": "opened",
            "issue": {
                "url": f"https://api.github.com/repos/{REPOSITORY}/issues/{number}",
                "id": key,
                "number": number,
                "title": "A price has no currency",
                "user": sender,
                "labels": [],
                "state": "open",
                "locked": False,
                "assignee": None,
                "milestone": None,
                "comments": 0,
                "created_at": at,
                "updated_at": at,
                "closed_at": None,
                "author_association": "OWNER",
                "body": None,
            },
            "repository": {
                "id": 186853002,
                "name": REPOSITORY.partition("/")[2],
                "full_name": REPOSITORY,
                "private": True,
                "default_branch": "main",
            },
            "sender": sender,
        }
    )
    headers = {
        "user-agent": "GitHub-Hookshot/sandbox",
        "x-github-delivery": str(uuid.uuid4()),
        "x-github-event": "issues",
        "x-hub-signature-256": f"sha256={signature(SIGNING_SECRET, body)}",
    }
    return Happened("github", "issue", str(key), post("github", "issue", body, headers))


STAND_IN = StandIn("github", routes=lambda world: [], extra={"signing_secret": SIGNING_SECRET}, happen=open_issue)
