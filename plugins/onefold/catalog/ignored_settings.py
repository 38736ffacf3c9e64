"""Settings that a system's protocol does not read: in a YAML they would be ignored without a word, so they are refused.

A system with a module under `python` is left out: what it reads is the module's to say.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from onefold.catalog.graphql_settings import graphql_mistakes
from onefold.catalog.model import Model
from onefold.catalog.paging import NextPage
from onefold.catalog.request import PLACEHOLDERS, names_in_braces
from onefold.catalog.stream import Stream

_HTTP = {"request.path", "request.params", "request.headers"}
_PAGES = {f"next.{name}" for name in NextPage.model_fields}
_CALLS = {
    f"next.{name}" for name in ("kind", "path", "parameter", "first", "total", "pages", "more", "last", "complete")
}
READ: Mapping[str, frozenset[str]] = {
    "rest": frozenset(
        {*_HTTP, *_PAGES, "request.method", "request.body", "request.form", "request.slices", "request.empty"}
        | {"records", "answer", "nested", "parent", "format", "deletes.tombstones", "webhook"}
    ),
    "odata": frozenset({*_HTTP, "request.expand", "next.complete", "next.keep", "next.hosts", "records", "nested"}),
    "soap": frozenset(
        {*_CALLS, "request.operation", "request.params", "request.headers", "records"}
        | {"next.size", "next.size_parameter", "next.field"}
    ),
    "sql": frozenset({"request.table", "request.snapshot", "next.size"}),
    "cdc": frozenset({"request.table", "request.slot", "next.size", "versions"}),
    "graphql": frozenset(
        {"request.path", "request.method", "request.headers", "request.operation", "request.arguments"}
        | {"request.types", "request.connections", "request.select", "records", "nested", "deletes.tombstones"}
        | {"next.kind", "next.path", "next.parameter", "next.first", "next.total", "next.complete", "next.size"}
        | {"next.size_parameter"}
    ),
    "files": frozenset({"request.path", "format", "arrival"}),
    "kafka": frozenset({"request.topic", "request.envelope", "records", "next.size", "versions"}),
    "rabbitmq": frozenset({"request.queue", "request.stream", "request.envelope", "records", "next.size", "versions"}),
    "redis_stream": frozenset(
        {"request.stream", "request.field", "request.envelope", "records", "next.size", "versions"}
    ),
    "webhook": frozenset({"webhook", "records", "request.envelope", "next.size", "versions"}),
}
"""By protocol, the settings of a stream that it reads, of those that not every protocol reads."""
_CHECKED = frozenset().union(*READ.values(), {"request.bulk"})


def ignored_settings(protocol: str, stream: Stream) -> Iterator[tuple[str, str]]:
    """Dotted name of each setting of the stream that its protocol does not read, and what is wrong with it."""
    for name in _given(stream):
        if name in _CHECKED - READ[protocol]:
            readers = sorted(each for each, read in READ.items() if name in read)
            others = f"read by protocol {' and '.join(readers)}" if readers else "a module under `python` may read it"
            if (protocol, name) == ("graphql", "request.params"):
                others = "its arguments stand under request.arguments"
            yield name, f"protocol {protocol} ignores {name} ({others}); take it out"
    if protocol == "graphql":
        yield from graphql_mistakes(stream)
    elif stream.next.kind == "connection":
        yield "next.kind", "protocol graphql has connections; write how the pages of this one go on"
    sweep = stream.deletes.sweep
    for inner in sorted(sweep.request.model_fields_set) if sweep and sweep.request else ():
        if f"request.{inner}" in _CHECKED - READ[protocol]:
            name = f"deletes.sweep.request.{inner}"
            yield name, f"protocol {protocol} ignores {name}, as it ignores request.{inner}; take it out"
    if protocol == "rest" and stream.format:
        yield from _of_json_only(stream)
    for name, template in _templates(stream):
        for placeholder in names_in_braces(template, body="request.body" in name):
            known = PLACEHOLDERS | (stream.filled if name.startswith("request.") else set())
            if placeholder not in known:
                yield (
                    name,
                    (
                        f"{{{placeholder}}} would be sent as it stands: nothing is filled in for it. There are "
                        + ", ".join(f"{{{each}}}" for each in sorted(known))
                        + (", and what parent.fill gives" if not stream.filled else "")
                    ),
                )


def _of_json_only(stream: Stream) -> Iterator[tuple[str, str]]:
    """What is read in JSON documents only, and not in what `format` describes."""
    for name in _given(stream):
        if name in ("records", "nested", "next.path", "next.more", "next.last"):
            yield name, f"an answer with `format` is no JSON document in which {name} could be; take it out"
    for name in sorted(stream.answer.model_fields_set - {"optional"}):
        yield f"answer.{name}", f"an answer with `format` is read as that says, not by answer.{name}; take it out"


def _given(stream: Stream) -> Iterator[str]:
    for name in sorted(stream.model_fields_set):
        value = getattr(stream, name)
        if name in ("request", "next", "deletes") and isinstance(value, Model):
            yield from (f"{name}.{inner}" for inner in sorted(value.model_fields_set))
        elif value is not None:
            yield name


def _templates(stream: Stream) -> Iterator[tuple[str, str]]:
    feed, sweep = stream.deletes.tombstones, stream.deletes.sweep
    requests = {
        "request": stream.request,
        "deletes.tombstones.request": feed and feed.request,
        "deletes.sweep.request": sweep and sweep.request,
    }
    for where, request in requests.items():
        if request:
            texts = {"path": request.path, **request.body_texts}
            yield from ((f"{where}.{name}", text) for name, text in texts.items())
            yield from ((f"{where}.{name}", text) for name, text in request.argument_texts.items())
            yield from ((f"{where}.params.{name}", text) for name, text in request.params.items())
            yield from ((f"{where}.headers.{name}", text) for name, text in request.headers.items())
