"""What no schema and no schematron catches, asked of the paper itself. Each rule has an id of ours.

EN 16931 lets a VAT amount be wrong by up to 1.00, never multiplies a quantity by its price, and
looks at no check digit; that something to pay has a due date (BR-CO-25) is missing from its CII.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from stdnum import bic, iban
from stdnum.eu import vat as eu_vat
from stdnum.fr import siren

from invoices.documents.deposits import vat_left
from invoices.documents.paper import CREDIT_NOTE, Paper
from invoices.documents.totals import round_half_up

LINE_NET = "OWN-LINE-NET"
VAT_AMOUNT = "OWN-VAT"
GROUP_BASIS = "OWN-BASIS"
TOTALS = "OWN-TOTALS"
IBAN = "OWN-IBAN"
BIC = "OWN-BIC"
SELLER_SIREN = "OWN-SELLER-SIREN"
BUYER_SIREN = "OWN-BUYER-SIREN"
SELLER_VAT_ID = "OWN-SELLER-VAT-ID"
BUYER_VAT_ID = "OWN-BUYER-VAT-ID"
DUE = "BR-CO-25"
SIGN = "OWN-CREDIT-SIGN"
DEPOSITS = "OWN-DEPOSITS"
# What is left of an invoice takes the cents that the credit notes before it rounded away: as far as
# EN 16931 lets it.
_CREDIT_NOTE_TOLERANCE = 100


@dataclass(frozen=True, slots=True)
class Broken:
    """`line` counts from 1; 0 of the whole document. `text` is what was found, for the log."""

    rule: str
    text: str
    line: int = 0


def broken_rules(paper: Paper) -> list[Broken]:
    return [
        *_lines(paper),
        *_vat(paper),
        *_deposits(paper),
        *_totals(paper),
        *_numbers(paper),
        *_payment(paper),
    ]


def _lines(paper: Paper) -> Iterator[Broken]:
    for place, line in enumerate(paper.lines, 1):
        exact = Fraction(line.quantity) * Fraction(line.unit_price)
        gross = round_half_up(exact * paper.sub_unit)
        if gross - line.discount_minor != line.net_minor:
            yield Broken(LINE_NET, f"{gross} - {line.discount_minor} != {line.net_minor}", place)


def _vat(paper: Paper) -> Iterator[Broken]:
    tolerance = _CREDIT_NOTE_TOLERANCE if paper.kind == CREDIT_NOTE else 0
    basis: dict[tuple[str, Decimal], int] = {}
    for line in paper.lines:
        group = (line.vat_category, line.vat_rate)
        basis[group] = basis.get(group, 0) + line.net_minor
    for allowance in paper.allowances:
        group = (allowance.vat_category, allowance.vat_rate)
        basis[group] = basis.get(group, 0) + allowance.signed_minor
    said = {(row.vat_category, row.vat_rate): row.basis_minor for row in paper.breakdown}
    if basis != said or len(said) != len(paper.breakdown):
        yield Broken(GROUP_BASIS, f"{basis} != {said}")
    # What the deposits bore of a group is charged already: of a final invoice the rest is right.
    net: dict[tuple[str, Decimal], int] = {}
    vat: dict[tuple[str, Decimal], int] = {}
    for line in paper.lines:
        if line.deducts and paper.kind != CREDIT_NOTE:
            group = (line.vat_category, line.vat_rate)
            net[group] = net.get(group, 0) - line.net_minor
            vat[group] = vat.get(group, 0) + line.deducted_vat_minor
    for row in paper.breakdown:
        group = (row.vat_category, row.vat_rate)
        right = vat_left(row.basis_minor, row.vat_rate, net.get(group, 0), vat.get(group, 0))
        if abs(row.vat_minor - right) > tolerance:
            yield Broken(VAT_AMOUNT, f"{row.vat_minor} != {right}")


def _deposits(paper: Paper) -> Iterator[Broken]:
    """The block that names the deposits and the lines that take them off say the same."""
    taken: dict[str, tuple[int, int]] = {}
    for line in paper.lines:
        if line.deducts:
            net, vat = taken.get(line.deducts, (0, 0))
            taken[line.deducts] = (net - line.net_minor, vat + line.deducted_vat_minor)
    named = {each.number: (each.net_minor, each.vat_minor) for each in paper.deposits}
    if paper.kind != CREDIT_NOTE and taken != named:
        yield Broken(DEPOSITS, f"{taken} != {named}")


def _totals(paper: Paper) -> Iterator[Broken]:
    net = sum(row.basis_minor for row in paper.breakdown)
    vat = sum(row.vat_minor for row in paper.breakdown)
    if (net, vat, net + vat) != (paper.net_minor, paper.vat_minor, paper.total_minor):
        yield Broken(TOTALS, f"{net} + {vat} != {paper.total_minor}")
    if paper.kind == CREDIT_NOTE and paper.total_minor <= 0:
        # A 381 with minus signs passes, and says the opposite.
        yield Broken(SIGN, str(paper.total_minor))


def _numbers(paper: Paper) -> Iterator[Broken]:
    seller, buyer = paper.seller, paper.buyer
    for rule, value, is_valid in (
        (IBAN, seller.iban, iban.is_valid),
        (BIC, seller.bic, bic.is_valid),
        (SELLER_SIREN, seller.siren, siren.is_valid),
        (BUYER_SIREN, buyer.siren, siren.is_valid),
        (SELLER_VAT_ID, _of_the_union(seller.vat_id), eu_vat.is_valid),
        (BUYER_VAT_ID, _of_the_union(buyer.vat_id), eu_vat.is_valid),
    ):
        if value and not is_valid(value):
            yield Broken(rule, value)


def _of_the_union(vat_id: str) -> str:
    """ "" of another country's, whose check digits nobody here knows."""
    prefix = vat_id.strip()[:2].upper()
    state = {"EL": "gr"}.get(prefix, prefix.lower())
    return vat_id if state in eu_vat.MEMBER_STATES else ""


def _payment(paper: Paper) -> Iterator[Broken]:
    if paper.payable_minor > 0 and paper.due_date is None and not paper.payment_terms:
        yield Broken(DUE, "neither due date nor terms")
