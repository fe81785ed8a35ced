"""Is this e-invoice right? Schema, EN 16931, the French rules, ours, and agreement with the paper.

A failed rule is data here: its id, its own words and the line. What a person reads about it, and
where it is mended, says invoicing/einvoice_reasons.py.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from invoices.documents.facturx import validators, writing
from invoices.documents.facturx.agreement import disagreements
from invoices.documents.facturx.own_rules import broken_rules
from invoices.documents.paper import OF_FRANCE, Paper

AGREEMENT = "OWN-XML-IS-PAPER"
_LINE = re.compile(r"IncludedSupplyChainTradeLineItem(?:\[namespace-uri\(\)='[^']*'\])?\[(\d+)\]")


@dataclass(frozen=True, slots=True)
class Failure:
    """`rule` without what follows the rule in a schematron's id: BR-FR-12 of BR-FR-12_BT-49.

    `line` counts from 1, 0 of the whole document; `place` is where in the XML.
    """

    rule: str
    text: str
    line: int = 0
    place: str = ""


@dataclass(frozen=True, slots=True)
class Judged:
    """The XML, None when it could not even be written, and all that is wrong with it."""

    content: bytes | None
    failures: tuple[Failure, ...]


def is_for(paper: Paper) -> bool:
    """Sellers in France issue Factur-X; a page of before they did says no billing mode."""
    return paper.seller.country in OF_FRANCE and bool(paper.billing_mode)


def judged(paper: Paper) -> Judged:
    """Write the CII of `paper` and judge it; some 15 ms for three lines, warm."""
    own = [Failure(broken.rule, broken.text, broken.line) for broken in broken_rules(paper)]
    try:
        content = writing.cii(paper)
    except writing.XmlRefused as refusal:
        return Judged(None, (*own, Failure(refusal.rule, str(refusal))))
    found = [*own, *judged_content(content)]
    if told := disagreements(content, paper):
        found.append(Failure(AGREEMENT, "; ".join(told)))
    return Judged(content, tuple(dict.fromkeys(found)))


def judged_content(content: bytes, syntax: writing.Syntax = "factur-x") -> list[Failure]:
    """By the schema and the schematrons alone."""
    found = []
    for each in validators.failed_assertions(content, syntax):
        line = _LINE.search(each.location)
        found.append(
            Failure(
                _rule_of(each), each.text, int(line.group(1)) if line else 0, place=each.location
            )
        )
    return found


def _rule_of(assertion: validators.Assertion) -> str:
    # The Factur-X profile numbers its own rules and names the one of EN 16931 in their words.
    named = re.match(r"\[([A-Z]+-[A-Z0-9-]+)\]", assertion.text)
    rule = named.group(1) if named else assertion.rule
    return rule.split("_")[0]
