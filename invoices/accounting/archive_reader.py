"""Verifies an archive of the books: this file lies in each archive too, and needs Python only.

    python verify.py ARCHIVE.zip

It proves that no file and no line of the archive was changed since it was made, that each document
says what its hash says and follows from the one before it in its series, and that the links of the
chain follow from one another. Whose archive it is, and that it is whole, is said by `head.json`:
compare its hash with one that was kept elsewhere.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import sys
import zipfile
from collections.abc import Iterator
from typing import Any

CHUNK = 1 << 20


def digest(archive: zipfile.ZipFile, name: str) -> str:
    found = hashlib.sha256()
    with archive.open(name) as file:
        while chunk := file.read(CHUNK):
            found.update(chunk)
    return found.hexdigest()


def lines_of(archive: zipfile.ZipFile, name: str) -> Iterator[Any]:
    with archive.open(name) as file:
        for line in io.TextIOWrapper(file, "utf-8"):
            yield json.loads(line)


def canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def content_hash(document: dict[str, Any]) -> str:
    """As the portal computed it when it issued the document."""
    before = document["previous_hash"].encode()
    first = hashlib.sha256(before + b"\n" + canonical(document["paper"])).hexdigest()
    if document["sealed_with"] == 1:
        return first
    facts = json.dumps(document["facts"], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(f"{first}\n{facts}".encode()).hexdigest()


def link_hash(link: dict[str, Any]) -> str:
    names = ("previous_hash", "position", "kind", "object_id", "seal", "name")
    return hashlib.sha256("\n".join(str(link[name]) for name in names).encode()).hexdigest()


def problems(archive: zipfile.ZipFile) -> Iterator[str]:
    names = archive.namelist()
    if "manifest.csv" not in names or "documents.jsonl" not in names:
        yield "This is no archive of the books: manifest.csv is missing."
        return
    if len(names) != len(set(names)):
        yield "A name stands for two files."
    yield from _files(archive, set(names))
    checks = {"documents.jsonl": _documents, "events.jsonl": _enclosed, "links.jsonl": _links}
    for name, check in checks.items():
        try:
            yield from check(archive)
        except (ValueError, KeyError, TypeError, AttributeError) as trouble:
            yield f"{name}: cannot be read ({trouble})."


def _files(archive: zipfile.ZipFile, names: set[str]) -> Iterator[str]:
    listed = {"manifest.csv", "manifest.sha256"}
    said = archive.read("manifest.sha256") if "manifest.sha256" in names else b""
    if f"{digest(archive, 'manifest.csv')}  manifest.csv\n".encode() != said:
        yield "manifest.csv: was changed."
    with archive.open("manifest.csv") as file:
        for row in csv.DictReader(io.TextIOWrapper(file, "utf-8", newline="")):
            name = row["file"]
            listed.add(name)
            if name not in names:
                yield f"{name}: is missing."
            elif digest(archive, name) != row["sha256"]:
                yield f"{name}: was changed."
    for name in sorted(names - listed):
        yield f"{name}: was added."


def _documents(archive: zipfile.ZipFile) -> Iterator[str]:
    last: dict[Any, str] = {}
    for document in lines_of(archive, "documents.jsonl"):
        number = document["number"]
        if document["imported"]:
            continue
        if content_hash(document) != document["content_hash"]:
            yield f"{number}: does not say what its hash says."
        series = document["series"]
        if series in last and document["previous_hash"] != last[series]:
            yield f"{number}: does not follow from the document before it."
        last[series] = document["content_hash"]
        for file in document["files"]:
            if file["kind"] == "pdf" and file["sha256"] != document["facts"]["document"]:
                yield f"{number}: its PDF is not the one that was issued."


def _attached(archive: zipfile.ZipFile) -> dict[int, set[str]]:
    """By the id of each document what the archive holds beside it."""
    return {
        document["id"]: {each["sha256"] for each in document.get("attachments", [])}
        for document in lines_of(archive, "documents.jsonl")
    }


def _enclosed(archive: zipfile.ZipFile) -> Iterator[str]:
    """What left with an email, as the event of its sending says, is here as it left."""
    names, beside = set(archive.namelist()), _attached(archive)
    for document in lines_of(archive, "documents.jsonl"):
        for each in document.get("attachments", []):
            name = each["file"]
            if name in names and digest(archive, name) != each["sha256"]:
                yield f"{name}: is not the file that was beside {document['number']}."
    for event in lines_of(archive, "events.jsonl"):
        for name, sha256 in event["data"].get("enclosed", []):
            document_id = event["invoice_id"]
            if document_id in beside and sha256 not in beside[document_id]:
                yield f"{name}: left with an email of document {document_id} and is missing."


def _links(archive: zipfile.ZipFile) -> Iterator[str]:
    last: tuple[int, str] | None = None
    for link in lines_of(archive, "links.jsonl"):
        if link_hash(link) != link["hash"]:
            yield f"Link {link['position']}: was changed."
        follows = last is not None and last[0] + 1 == link["position"]
        if last is not None and follows and link["previous_hash"] != last[1]:
            yield f"Link {link['position']}: does not follow from the one before it."
        last = (link["position"], link["hash"])


def main(path: str) -> int:
    try:
        with zipfile.ZipFile(path) as archive:
            found = list(problems(archive))
    except (OSError, zipfile.BadZipFile, ValueError, KeyError) as trouble:
        found = [f"The archive cannot be read: {trouble}"]
    for text in found:
        sys.stdout.write(f"{text}\n")
    if not found:
        sys.stdout.write("The archive is whole: every file, document and link is as it was.\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]) if len(sys.argv) == 2 else "python verify.py ARCHIVE.zip")
