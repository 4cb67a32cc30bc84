"""Reads the vectors, and an export, by what docs/audit.md says and nothing of ours. Only the standard library."""

import base64
import hashlib
import json
import sys


def canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def leaf_hash(record: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + record).digest()


def root(leaves: list[bytes]) -> bytes:
    """RFC 6962, 2.1, as it is written there."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return hashlib.sha256(b"\x01" + root(leaves[:k]) + root(leaves[k:])).digest()


def read_chain(org: str, records: list[bytes]) -> list[bytes]:
    """The leaf hashes of records that follow one another from the beginning."""
    previous = hashlib.sha256(f"flowmason/chain/v1/{org}".encode()).hexdigest()
    leaves = []
    for number, record in enumerate(records, 1):
        said = json.loads(record)
        assert canonical(said).encode() == record, f"record {number} is not canonical"
        assert said["sequence"] == number, f"record {number} says {said['sequence']}"
        assert said["previous"] == previous, f"record {number} does not follow"
        leaves.append(leaf_hash(record))
        previous = leaves[-1].hex()
    return leaves


def check_vectors(path: str) -> int:
    with open(path, encoding="utf-8") as file:
        vectors = json.load(file)
    assert hashlib.sha256(f"flowmason/chain/v1/{vectors['org']}".encode()).hexdigest() == vectors["empty"]
    records = [each["record"].encode() for each in vectors["records"]]
    for each in vectors["records"]:
        assert json.loads(each["record"])["event"] == each["event"]
        assert leaf_hash(each["record"].encode()).hex() == each["hash"]
    leaves = read_chain(vectors["org"], records)
    for size, expected in enumerate(vectors["roots"], 1):
        assert base64.b64encode(root(leaves[:size])).decode() == expected, f"root of {size}"
    return len(records)


def check_export(path: str) -> int:
    with open(path, "rb") as file:
        lines = file.read().split(b"\n")[:-1]
    beginning = json.loads(lines[0])["export"]
    assert beginning["sequence"] == 0
    records = [line for line in lines if line.startswith(b'{"event":')]
    leaves = read_chain(beginning["org"], records)
    for line in lines:
        if line.startswith(b'{"checkpoint":'):
            origin, size, said = json.loads(line)["checkpoint"].split("\n")[:3]
            assert origin == f"flowmason-secrets/{beginning['org']}"
            assert base64.b64encode(root(leaves[: int(size)])).decode() == said, f"checkpoint of {size}"
    return len(records)


if __name__ == "__main__":
    vectors_path, export_path = sys.argv[1:]
    print(check_vectors(vectors_path), check_export(export_path))
