"""A Paper as XML: CII, which a Factur-X carries, and UBL, of the same business terms.

factur-x writes both syntaxes. Only this file knows it, for its dictionary changes between versions:
it is pinned. Its traps are kept out here: it changes what it is given; it calls an empty element
“nil”, which the schema forbids; and its own schematron check asks a server on this machine and
takes silence for “valid”. Judging is judging.py's.
"""

from __future__ import annotations

import threading
from typing import Any, Literal

from invoices.documents.facturx.terms import Terms, terms_of
from invoices.documents.paper import Paper

Syntax = Literal["factur-x", "ubl-2.1"]
FILENAME = "factur-x.xml"
# No text of ours can look like this: there "<" is escaped.
_NOT_SAID = (
    b'<ram:ApplicableHeaderTradeDelivery xsi:nil="true"/>',
    b"<ram:ApplicableHeaderTradeDelivery/>",
)
# It changes lists of its own module while it works.
_one_at_a_time = threading.Lock()


class XmlRefused(Exception):
    """The document lacks what even the XML itself needs; `rule` is the one of EN 16931."""

    def __init__(self, rule: str, text: str) -> None:
        super().__init__(text)
        self.rule = rule


def cii(paper: Paper) -> bytes:
    """The XML of a Factur-X, profile EN 16931; the same bytes for the same paper.

    Raises XmlRefused where a term is missing without which there is no XML at all.
    """
    return written(terms_of(paper), "factur-x")


def ubl(paper: Paper) -> bytes:
    """UBL 2.1, an Invoice or a CreditNote. Raises XmlRefused."""
    return written(terms_of(paper), "ubl-2.1")


def written(terms: Terms, syntax: Syntax) -> bytes:
    # Not above: it takes half a second to import, which only documents should pay.
    from facturx.generate_xml import generate_xml

    _check(terms)
    with _one_at_a_time:
        content: bytes = generate_xml(
            _copied(terms), flavor=syntax, level="en16931", check_xsd=False, check_schematron=False
        )
    return content.replace(*_NOT_SAID)


def _check(terms: Terms) -> None:
    """What factur-x would answer with an error of its own."""
    for term, rule in (("BT-1", "BR-02"), ("BT-2", "BR-03"), ("BG-25", "BR-16")):
        if not terms.get(term):
            raise XmlRefused(rule, f"{term} is missing.")
    for party, rule in (("BG-4", "BR-06"), ("BG-7", "BR-07")):
        if not terms[party].get("name"):
            raise XmlRefused(rule, f"The name in {party} is missing.")
    start, end = terms.get("BT-73"), terms.get("BT-74")
    if start and end and end < start:
        raise XmlRefused("BR-29", f"{end} is before {start}.")


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copied(each) for key, each in value.items()}
    return [_copied(each) for each in value] if isinstance(value, list) else value
