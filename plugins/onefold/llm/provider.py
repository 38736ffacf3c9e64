"""One provider behind an OpenAI-compatible URL: a question is sent once, and what came back is no more than a text.

Wire: platform.openai.com/docs/api-reference/chat/create; the connection's host ends where /chat/completions follows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Unpack

import msgspec

from onefold.catalog.system import System
from onefold.errors import Fatal
from onefold.http.attempt import Attempt, BadBody, Response
from onefold.http.client import Client
from onefold.http.failure import NotSent, Refused, Unauthorized
from onefold.http.persistent import AttemptSettings
from onefold.llm.configuration import ProviderSetting
from onefold.llm.prompt import Prompt

TIMEOUT = 60
"""Seconds for a question and its whole answer."""


@dataclass(frozen=True, slots=True)
class Completion:
    """What a model said. `text` is None where it said no text, or wanted a tool called; the tokens are None where the
    provider does not say what was used."""

    text: str | None
    is_cut: bool
    input_tokens: int | None
    output_tokens: int | None


class Provider:
    """Asks one provider, as every other system is asked: its own host, TLS, rates, breaker, limits."""

    def __init__(
        self,
        setting: ProviderSetting,
        on_attempt: Callable[[Attempt], None] = lambda _: None,
        *,
        timeout: float = TIMEOUT,
        **settings: Unpack[AttemptSettings],
    ) -> None:
        self.setting = setting
        limits = {"rate": ["60/min"], "timeout": timeout, "attempts": 1, "answer_mib": 1}
        name = setting.connection
        system = System.model_validate(
            {"system": name if name.startswith("llm") else f"llm_{name}", "title": name, "protocol": "rest",
             "connection": name, "schedule": "@daily", "auth": {"kind": "bearer"}, "limits": limits, "streams": {}}
        )  # fmt: skip
        self._client = Client(system, setting.endpoint, on_attempt, **settings)

    def close(self) -> None:
        """Close the kept connections."""
        self._client.close()

    def complete(self, prompt: Prompt) -> Completion:
        """Raises NotSent and Unanswered, after which another provider may be asked, and Fatal when somebody must change
        something first."""
        body = {
            "model": self.setting.model,
            "messages": prompt.messages,
            self.setting.most_tokens_name: prompt.most_tokens,
            "temperature": 0,
            "stream": False,
        }
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        content = msgspec.json.encode(body)
        try:
            return self._client.send_once("POST", "/chat/completions", parse=_completion, headers=headers, body=content)
        except NotSent as error:
            if isinstance(error.__cause__, Unauthorized):
                raise Fatal(f"{error} The key is the connection's password.") from error
            raise
        except Refused as error:
            raise Fatal(
                f"{str(error).partition('. ')[0]}. Look at the Airflow connection {self.setting.connection!r}: its "
                "host ends before /chat/completions (https://…/v1), and `model` in its extra must be one that the "
                "provider has for this key."
            ) from error


def _completion(response: Response) -> Completion:
    try:
        body = msgspec.json.decode(response.body)
    except msgspec.DecodeError:
        raise BadBody("no JSON") from None
    choices = body.get("choices") if isinstance(body, dict) else None
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        raise BadBody("no choices")
    message = choices[0].get("message")
    if not isinstance(message, dict):
        raise BadBody("no message")
    text = message.get("content")
    wants_tool = bool(message.get("tool_calls") or message.get("function_call"))
    usage = body.get("usage")
    into, out = (_count(usage, name) for name in ("prompt_tokens", "completion_tokens"))
    known = into is not None and out is not None
    return Completion(
        text if isinstance(text, str) and not wants_tool else None,
        choices[0].get("finish_reason") == "length",
        into if known else None,
        out if known else None,
    )


def _count(usage: object, name: str) -> int | None:
    found = usage.get(name) if isinstance(usage, dict) else None
    return found if isinstance(found, int) and not isinstance(found, bool) and 0 <= found < 10**9 else None
