"""From a Paper to the business terms of EN 16931 (BT-1, BG-25…), from which both syntaxes are made.

Pure: only the frozen paper speaks, so that XML, page and database cannot say different things. What
is missing is left out, never made up; the judges then name the rule that asks for it.

Sources: EN 16931-1; XP Z12-012 (BR-FR rules); what receivers stumble over is said beside the line.
"""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

from invoices.documents.facturx.parties import buyer_party, delivery_party, seller_party
from invoices.documents.facturx.parties import tax_representative as representative
from invoices.documents.facturx.spelling import amount, number, plain
from invoices.documents.paper import CREDIT_NOTE, Paper, PaperAllowance, PaperLine, PaperVat
from invoices.documents.totals import round_half_up

Terms = dict[str, Any]

_NOT_FOR_CONSUMERS: Final = {
    "fr": "Sans objet\u202f: le client n’est pas un professionnel (C. com. L441-10).",
    "en": "Not applicable: the customer is not a business (French Commercial Code, L441-10).",
}
_NOT_FOR_CREDITS: Final = {
    "fr": "Sans objet\u202f: avoir.",
    "en": "Not applicable: credit note.",
}
# UNTDID 1001: a credit note over a period.
OVER_NO_INVOICE: Final = "262"
# UNTDID 4461: a SEPA transfer, or any other to an account.
_SEPA_TRANSFER, _TRANSFER = "58", "30"
# UNTDID 5189: discount; 7161: miscellaneous services.
_DISCOUNT, _CHARGE = "95", "ABK"


def terms_of(paper: Paper) -> Terms:
    """All business terms of a document of a seller in France; amounts as text, days as dates."""
    is_credit = paper.kind == CREDIT_NOTE
    terms: Terms = {
        "BT-1": plain(paper.number),
        "BT-2": paper.issue_date,
        "BT-3": type_code(paper),
        "BT-5": paper.currency,
        "BT-10": plain(paper.buyer.reference),
        "BT-12": plain(paper.contract),
        "BT-13": plain(paper.purchase_order),
        "BT-20": plain(paper.payment_terms),
        "BT-23": _billing_mode(paper),
        "BG-1": _notes(paper),
        "BG-4": seller_party(paper),
        "BG-7": buyer_party(paper),
        "BG-11": representative(paper),
        "BG-13": delivery_party(paper),
        "BG-20": [_allowance(each, paper) for each in paper.allowances if not each.is_charge],
        "BG-21": [_allowance(each, paper) for each in paper.allowances if each.is_charge],
        "BG-23": [_vat(row, paper) for row in paper.breakdown],
        "BG-25": [_line(at, line, paper) for at, line in enumerate(paper.lines, 1)],
        **_period(paper),
        **_totals(paper),
    }
    if paper.vat_on_debits:
        # VAT is due when the invoice is issued.
        terms["BT-8"] = "invoice"
    terms["BG-3"] = _preceding(paper)
    if not is_credit:
        terms |= _payment(paper)
    return {key: value for key, value in terms.items() if value not in ("", None, [])}


def type_code(paper: Paper) -> str:
    names_one = paper.corrects_number or paper.credited
    return type_code_of(
        paper.kind, paper.purpose, names_none=bool(paper.contract and not names_one)
    )


def type_code_of(kind: str, purpose: str, *, names_none: bool) -> str:
    """UNTDID 1001. A deposit is 386, the credit note of one 503; a corrected invoice is a plain one
    (380) that names the old one: 384 would cancel what its credit note cancels already. A rebate
    that names no invoice, but a period and an agreement, is 262 (BR-FR-CO-03, -05)."""
    if kind == CREDIT_NOTE:
        if purpose == "deposit":
            return "503"
        return OVER_NO_INVOICE if names_none else "381"
    return "386" if purpose == "deposit" else "380"


def _billing_mode(paper: Paper) -> str:
    """Paid already is the second of each kind (BR-FR-CO-09), final after deposits the fourth."""
    if paper.kind != CREDIT_NOTE and paper.deposits:
        return paper.billing_mode.replace("1", "4")
    if paper.kind != CREDIT_NOTE and paper.paid_minor and paper.payable_minor == 0:
        return paper.billing_mode.replace("1", "2")
    return paper.billing_mode


def _notes(paper: Paper) -> list[Terms]:
    """What French law wants said, each once and with its code, and then the rest.

    UNTDID 4451: PMT recovery costs, PMD late penalties, AAB early payment, TXD a member of a VAT
    group, BAR the treatment by the platforms, AAI anything else.
    """
    none = (_NOT_FOR_CREDITS if paper.kind == CREDIT_NOTE else _NOT_FOR_CONSUMERS)[paper.language]
    found = [
        ("PMT", paper.recovery_indemnity or none),
        ("PMD", paper.late_penalty or none),
        ("AAB", paper.early_payment or none),
    ]
    if paper.vat_group_vat_id:
        found.append(("TXD", "MEMBRE_ASSUJETTI_UNIQUE"))
    if paper.treatment:
        found.append(("BAR", paper.treatment))
    texts = (paper.title, paper.credit_reason, paper.notes, paper.eur_rate, paper.vat_group)
    found += [("AAI", text) for text in texts]
    return [{"BT-21": code, "BT-22": text} for code, said in found if (text := plain(said))]


def _preceding(paper: Paper) -> list[Terms]:
    """What is credited, what is replaced, and the deposits that are taken off."""
    named: list[tuple[str, date | None]] = [
        (paper.corrects_number, paper.corrects_date),
        *((each.number, each.issue_date) for each in paper.credited),
        (paper.replaces_number, paper.replaces_date),
        *((deposit.number, deposit.issue_date) for deposit in paper.deposits),
    ]
    found: list[Terms] = []
    for number_, day in named:
        if number_:
            found.append({"BT-25": plain(number_), **({"BT-26": day} if day else {})})
    return found


def _payment(paper: Paper) -> Terms:
    found: Terms = {"BT-9": due_of(paper), "BT-83": plain(paper.number)}
    if paper.paid_minor and paper.payable_minor == 0:
        # The day of payment, by BR-FR-CO-09.
        found["BT-9"] = paper.paid_on or paper.due_date
    iban = re.sub(r"\s", "", paper.seller.iban).upper()
    if iban:
        found["BT-81"] = _SEPA_TRANSFER if paper.currency == "EUR" else _TRANSFER
        found |= {
            "BT-84": iban,
            "BT-85": plain(paper.seller.name),
            "BT-86": re.sub(r"\s", "", paper.seller.bic).upper(),
        }
    return found


def due_of(paper: Paper) -> date | None:
    """The day by which all is due but what is held back: its release is no date of payment."""
    others = [part.due_date for part in paper.instalments if not part.is_retention]
    return max(others) if paper.retention is not None and others else paper.due_date


def _period(paper: Paper) -> Terms:
    start, end = paper.service_from, paper.service_until
    if start and end and (start != end or type_code(paper) == OVER_NO_INVOICE):
        return {"BT-73": start, "BT-74": end}
    # One day, as the page says it.
    day: date | None = end or start
    return {"BT-72": day} if day else {}


def _totals(paper: Paper) -> Terms:
    lines = sum(line.net_minor for line in paper.lines)
    found = {
        "BT-106": amount(lines, paper),
        "BT-109": amount(paper.net_minor, paper),
        "BT-110": amount(paper.vat_minor, paper),
        "BT-112": amount(paper.total_minor, paper),
        "BT-115": amount(paper.payable_minor, paper),
    }
    for term, is_charge in (("BT-107", False), ("BT-108", True)):
        parts = [each.amount_minor for each in paper.allowances if each.is_charge == is_charge]
        if parts:
            found[term] = amount(sum(parts), paper)
    if paper.paid_minor:
        found["BT-113"] = amount(paper.paid_minor, paper)
    if paper.currency != "EUR":
        # A French seller accounts for VAT in euros, also where there is none (BR-FR-CO-12).
        found["BT-6"] = "EUR"
        in_eur = paper.vat_minor_in_eur
        if in_eur is None:
            in_eur = paper.einvoice_vat_minor_in_eur
        if in_eur is not None:
            found["BT-111"] = number(Decimal(in_eur).scaleb(-2), places=2)
        elif not paper.vat_minor:
            found["BT-111"] = "0.00"
    return found


def _vat(row: PaperVat, paper: Paper) -> Terms:
    found = {
        "BT-116": amount(row.basis_minor, paper),
        "BT-117": amount(row.vat_minor, paper),
        "BT-118": row.vat_category,
        "BT-120": plain(row.exemption_text),
        "BT-121": row.exemption_code,
    }
    # EN 16931 has no rate where a supply is outside VAT (BR-O-05), but BR-48 wants none to lack.
    if row.vat_category != "O":
        found["BT-119"] = number(row.vat_rate)
    return {key: value for key, value in found.items() if value}


def _allowance(allowance: PaperAllowance, paper: Paper) -> Terms:
    found = {
        "amount": amount(allowance.amount_minor, paper),
        "reason": plain(allowance.label),
        "reason_code": allowance.code or (_CHARGE if allowance.is_charge else _DISCOUNT),
        "vat_category_code": allowance.vat_category,
    }
    if allowance.percent:
        # Only where the part is that share of its own rate: the whole was rounded, and then shared.
        base = _net_at(paper, allowance)
        if round_half_up(base * Fraction(allowance.percent) / 100) == allowance.amount_minor:
            found |= {"rate": number(allowance.percent), "base_amount": amount(base, paper)}
    if allowance.vat_category != "O":
        found["vat_rate"] = number(allowance.vat_rate)
    return {key: value for key, value in found.items() if value}


def _net_at(paper: Paper, allowance: PaperAllowance) -> int:
    """Of the lines at its VAT rate, in minor units, before deposits."""
    group = (allowance.vat_category, allowance.vat_rate)
    return sum(
        line.net_minor
        for line in paper.lines
        if (line.vat_category, line.vat_rate) == group and not line.deducts
    )


def _line(place: int, line: PaperLine, paper: Paper) -> Terms:
    name, _line_break, details = plain(line.description).partition("\n")
    quantity, price = line.quantity, line.unit_price
    if price < 0:
        # A price is never negative (BR-27): the same line by a negative quantity.
        quantity, price = -quantity, -price
    found: Terms = {
        "BT-126": str(place),
        "BT-129": number(quantity),
        "BT-130": line.unit or "C62",
        "BT-131": amount(line.net_minor, paper),
        "BT-146": number(price),
        "BT-151": line.vat_category,
        "BT-153": name.strip() or str(place),
        "BT-154": details.strip(),
    }
    if line.vat_category != "O":
        found["BT-152"] = number(line.vat_rate)
    if line.discount_minor:
        found["BG-27"] = [_discount(line, paper)]
    return {key: value for key, value in found.items() if value}


def _discount(line: PaperLine, paper: Paper) -> Terms:
    found = {"amount": amount(line.discount_minor, paper), "reason_code": _DISCOUNT}
    if line.discount_percent:
        found["rate"] = number(line.discount_percent)
        found["base_amount"] = amount(line.net_minor + line.discount_minor, paper)
    return found
