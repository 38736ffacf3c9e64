"""The Merkle tree over the audit events, RFC 6962 section 2: one root commits to all of the first n events.

A leaf's data is the 32-byte hash of an event (audit/chain.py), leaf 0 that of event 1. What is kept of a tree is its
compact range: the roots of its complete subtrees, at most one for each bit of the size, so that adding an event costs
one or two hashes however long the chain is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256().digest()

Span = tuple[int, int]
"""Leaves from the first number up to, but without, the second."""


def leaf_hash(data: bytes) -> bytes:
    """The hash of a leaf with this data."""
    return hashlib.sha256(b"\0" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of a node above these two."""
    return hashlib.sha256(b"\1" + left + right).digest()


@dataclass
class Tree:
    """The compact range of the first `size` leaves: `nodes` are its complete subtrees' roots, largest first."""

    size: int = 0
    nodes: list[bytes] = field(default_factory=list)

    def add(self, data: bytes) -> None:
        """Add the next leaf."""
        node, size = leaf_hash(data), self.size
        while size & 1:
            node = node_hash(self.nodes.pop(), node)
            size >>= 1
        self.nodes.append(node)
        self.size += 1

    def root(self) -> bytes:
        """The tree's root, 32 bytes."""
        if not self.nodes:
            return EMPTY_ROOT
        root = self.nodes[-1]
        for node in reversed(self.nodes[:-1]):
            root = node_hash(node, root)
        return root


def inclusion_spans(index: int, size: int) -> list[Span]:
    """The leaves below each hash of the inclusion proof of leaf `index` in a tree of `size`, from the leaf upward."""
    spans: list[Span] = []
    low, high = 0, size
    while high - low > 1:
        middle = low + _split(high - low)
        if index < middle:
            spans.append((middle, high))
            high = middle
        else:
            spans.append((low, middle))
            low = middle
    return spans[::-1]


def consistency_spans(old: int, new: int) -> list[Span]:
    """The leaves below each hash of the consistency proof from `old` leaves to `new` ones, 0 < old ≤ new."""
    spans: list[Span] = []
    low, high, known = 0, new, True  # known: the verifier has this subtree's root, it is the old tree
    while old != high:
        middle = low + _split(high - low)
        if old <= middle:
            spans.append((middle, high))
            high = middle
        else:
            spans.append((low, middle))
            low, known = middle, False
    if not known:
        spans.append((low, high))
    return spans[::-1]


def roots_of(spans: Sequence[Span], leaves: Iterable[bytes]) -> list[bytes]:
    """The root of each span, in one pass over the leaves' data; the spans do not overlap.

    Fewer roots than spans when the leaves end too early.
    """
    ordered = sorted(spans)
    found: dict[Span, bytes] = {}
    waiting: Iterator[Span] = iter(ordered)
    span, tree = next(waiting, None), Tree()
    for number, data in enumerate(leaves):
        if span is None:
            break
        if number < span[0]:
            continue
        tree.add(data)
        if number + 1 == span[1]:
            found[span] = tree.root()
            span, tree = next(waiting, None), Tree()
    return [found[span] for span in spans if span in found]


def root_by_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes]) -> bytes | None:
    """The root that a tree of `size` has when `leaf` (its hash) is its leaf `index`.

    None when the proof has not the length that it must have.
    """
    spans = inclusion_spans(index, size) if 0 <= index < size else None
    if spans is None or len(spans) != len(proof):
        return None
    node = leaf
    for (low, _), sibling in zip(spans, proof, strict=True):
        node = node_hash(node, sibling) if low > index else node_hash(sibling, node)
    return node


def is_consistent(old: int, old_root: bytes, new: int, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether the proof shows that the tree of `new` leaves begins with the `old` leaves of the other one."""
    if not 0 < old <= new:
        return False
    spans = consistency_spans(old, new)
    if len(spans) != len(proof):
        return False
    hashes = list(proof)
    covers = [*spans]
    if not covers or covers[0][1] != old:  # the old tree is itself a complete subtree, which is not sent
        hashes, covers = [old_root, *hashes], [(0, old), *covers]
    before = after = hashes[0]
    start = covers[0][0]
    for (low, high), node in zip(covers[1:], hashes[1:], strict=True):
        if high == start:
            before, after, start = node_hash(node, before), node_hash(node, after), low
        else:
            after = node_hash(after, node)
    return before == old_root and after == new_root


def _split(size: int) -> int:
    """The largest power of two that is smaller than `size`."""
    return 1 << ((size - 1).bit_length() - 1)
