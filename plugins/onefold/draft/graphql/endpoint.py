"""Where a schema is: in a file, at the address of one, or at the endpoint, which tells it when it is asked."""

from __future__ import annotations

from urllib.parse import urlsplit

import msgspec

from onefold.draft.graphql.draft import graphql_draft
from onefold.draft.graphql.schema import QUERY
from onefold.draft.model import Draft
from onefold.draft.origin import Origin

_FILES = (".graphql", ".graphqls", ".gql", ".sdl", ".json", ".txt")


def schema_at(found: Origin) -> Draft:
    """The draft from a schema file, or from what an endpoint answers to the introspection query. Raises Fatal when it
    answers none."""
    if not found.is_web or found.location.partition("?")[0].endswith(_FILES):
        return graphql_draft(found.content())
    answer = found.posted(msgspec.json.encode({"query": QUERY}))
    return graphql_draft(answer, urlsplit(found.location).path or "/")
