"""The Merkle tree: the vectors of certificate-transparency's own tests, and every proof of every small tree."""

from __future__ import annotations

import pytest

from onefold.audit import merkle
from onefold.audit.merkle import Tree, consistency_spans, inclusion_spans, is_consistent, root_by_inclusion, roots_of

LEAVES = [
    bytes.fromhex(data)
    for data in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
CONSISTENCY = {
    (1, 1): [],
    (1, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (6, 8): [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 5): [
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}
"""certificate-transparency, cpp/merkletree/merkle_tree_test.cc, kSHA256Proofs."""
MANY = [bytes([number]) for number in range(34)]


def root(leaves: list[bytes]) -> bytes:
    """RFC 6962, 2.1, word for word."""
    if len(leaves) < 2:
        return merkle.leaf_hash(leaves[0]) if leaves else merkle.EMPTY_ROOT
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return merkle.node_hash(root(leaves[:split]), root(leaves[split:]))


@pytest.mark.parametrize("size", range(9))
def test_the_root_is_that_of_rfc_6962(size: int) -> None:
    tree = Tree()
    for data in LEAVES[:size]:
        tree.add(data)
    assert tree.root().hex() == ROOTS[size]


@pytest.mark.parametrize(("old", "new"), CONSISTENCY)
def test_a_consistency_proof_is_that_of_certificate_transparency(old: int, new: int) -> None:
    proof = roots_of(consistency_spans(old, new), LEAVES)
    assert [node.hex() for node in proof] == CONSISTENCY[old, new]


def test_every_event_of_every_tree_can_be_proven_to_be_in_it_and_no_other_event() -> None:
    for size in range(1, len(MANY)):
        expected = root(MANY[:size])
        for index in range(size):
            proof = roots_of(inclusion_spans(index, size), MANY)
            assert root_by_inclusion(index, size, merkle.leaf_hash(MANY[index]), proof) == expected
            assert root_by_inclusion(index, size, merkle.leaf_hash(b"other"), proof) != expected
            assert root_by_inclusion(index, size, merkle.leaf_hash(MANY[index]), [*proof, b"\0" * 32]) is None


def test_every_tree_can_be_proven_to_begin_with_each_smaller_one_and_with_no_other() -> None:
    for new in range(1, len(MANY)):
        for old in range(1, new + 1):
            proof = roots_of(consistency_spans(old, new), MANY)
            before, after = root(MANY[:old]), root(MANY[:new])
            assert is_consistent(old, before, new, after, proof)
            assert not is_consistent(old, root(MANY[1 : old + 1]), new, after, proof)
            assert not is_consistent(old, before, new, root(MANY[1 : new + 1]), proof)
            assert not is_consistent(old, before, new, after, proof[1:] if proof else [before])
