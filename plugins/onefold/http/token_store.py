"""Where a token is stored that outlives its process: one that its server gives once, and takes back if it is lost."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol


class StoredToken(Protocol):
    """One identity's token, while nobody else may read or write it. What is stored is a secret."""

    def read(self) -> str | None:
        """What was written last; None when nothing was. Raises Retriable when that cannot be told."""
        ...

    def write(self, text: str) -> None:
        """Store it: when this returns, it is durable. Raises Retriable when it could not be stored."""
        ...


class TokenStore(Protocol):
    """One identity's place. Orchestration makes it, with the connection (Endpoint.tokens)."""

    def exclusive(self) -> AbstractContextManager[StoredToken]:
        """The token, which no other process touches within the block. Raises Retriable when others hold it too long."""
        ...
