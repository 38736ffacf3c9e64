"""A page that shows how the service goes: no secret, no body, nothing of a sender."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from html import escape

from starlette.responses import HTMLResponse, Response

from onefold.receive.hooks import Name
from onefold.receive.inbox import Inbox
from onefold.receive.live_hooks import LiveHooks

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


class Answers:
    """How often each hook has answered what, since the start."""

    def __init__(self) -> None:
        self.started_at = datetime.now(UTC)
        self._counts: Counter[tuple[Name, int]] = Counter()

    def count(self, hook: Name, status: int) -> None:
        """Count one answer."""
        self._counts[hook, status] += 1

    def of(self, hook: Name) -> str:
        """The hook's answers in words."""
        found = sorted((status, count) for (name, status), count in self._counts.items() if name == hook)
        return ", ".join(f"{count:,} × {status}" for status, count in found) or "none"


def status_page(hooks: LiveHooks, inbox: Inbox, answers: Answers) -> Response:
    """The page, as HTML that needs nothing else."""
    known = hooks.known
    rows = "".join(
        f"<tr><td>/hooks/{escape('/'.join(name))}</td><td>{escape(known[name].webhook.signature)}</td>"
        f"<td>{escape(answers.of(name))}</td><td>{escape(known[name].problem or 'ready')}</td></tr>"
        for name in sorted(known)
    )
    last = f"{inbox.stored_at:%F %T} UTC" if inbox.stored_at else "none yet"
    problem = f"<p>Not every hook could be read anew: {escape(hooks.problem)}</p>" if hooks.problem else ""
    page = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Onefold: webhooks</title></head><body>'
        f"<h1>Webhooks</h1><p>Running since {answers.started_at:%F %T} UTC. New events stored since then: "
        f"{inbox.stored:,}; last commit: {last}.</p>{problem}<table><thead><tr><th>Address</th><th>Signature</th>"
        f"<th>Answers</th><th>State</th></tr></thead><tbody>{rows}</tbody></table></body></html>"
    )
    return HTMLResponse(page, headers=_HEADERS)
