"""Whether the VAT of a draft is lawful on its day, for its client and its seller."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing_portal.dates import day
from billing_portal.figures import grouped
from billing_portal.money import is_currency
from invoices.clients import vat_checks
from invoices.clients.vat import supply_of, vat_treatment
from invoices.company.exemptions import FRANCHISE, Exemptions, standing_of, standing_on
from invoices.company.rates import is_of, rate_on, row_on
from invoices.company.vat_faults import (
    key_of,
    told_faults,
    told_key,
    told_misplaced,
    told_overcharged,
    unknown_id_key,
    unregistered_key,
)
from invoices.company.vat_rates import FrenchRates
from invoices.documents.nature import Nature
from invoices.documents.totals import STANDARD
from invoices.invoicing import drafting
from invoices.invoicing.reasons import Reason
from invoices.models import (
    Company,
    ExemptionReason,
    Invoice,
    InvoiceEvent,
    InvoiceLine,
    VatCheck,
)
from invoices.models.clients import BuyerKind
from invoices.tax.deciding import Doubt
from invoices.tax.judging import Charged, Fault, misplaced
from invoices.tax.supplies import Place
from invoices.tax.vat_ids import compact, state_of


@dataclass(frozen=True)
class Question:
    """What does not follow from the parties, and which decision would allow it."""

    text: str
    anchor: str
    key: str


def vat_reasons(
    invoice: Invoice, lines: list[InvoiceLine], company: Company | None, on: date
) -> list[Reason]:
    """Rates and reasons for no VAT that the law does not have on the day of supply, or for this
    client."""
    issue_date, _due = drafting.dates_of(invoice, on)
    supplied = invoice.service_until or issue_date
    charged = _charged(lines)
    found = [
        Reason("vat", text, _vat_field(fault))
        for text, fault in told_faults(charged, seller=company, on=supplied, rates=FrenchRates())
    ]
    found += _exemption_reasons(lines, supplied)
    found += _sentence_reasons(invoice, lines, company, supplied)
    found += _proof_reasons(invoice, charged, company)
    found += _register_reasons(invoice, charged, company)
    found += _delivery_reasons(invoice, charged)
    found += _currency_reasons(invoice, lines, company, issue_date)
    open_ones = questions(invoice, lines, company, supplied)
    already = decided_otherwise(invoice) if open_ones else {}
    found += [Reason("vat", q.text, q.anchor, q.key) for q in open_ones if q.key not in already]
    return found


def questions(
    invoice: Invoice, lines: Sequence[InvoiceLine], company: Company | None, supplied: date
) -> list[Question]:
    """Where lines depart from what is decided for this seller, client, delivery and place."""
    supply = supply_of(invoice.client, company, invoice)
    if not supply.seller.of_french_law:
        return []
    charged, rates = _charged(lines), FrenchRates()
    wanted = {
        nature: vat_treatment(invoice.client, company, nature, document=invoice)
        # What is typed may be neither: its field says so.
        for nature in {line.nature for line in lines} & set(Nature)
    }
    # A rate that France has nowhere is told once, and nobody decides otherwise about it.
    known = rates.on(supplied)
    lawful = [each._replace(follows=each.follows or each.rate not in known) for each in charged]
    in_franchise = company is not None and company.in_franchise
    told = told_misplaced(charged, supply)
    if not in_franchise:
        told += told_overcharged(
            lawful, supply, wanted, lambda territory: rates.on(supplied, territory)
        )
    found = [Question(text, _vat_field(fault), key_of(fault)) for text, fault in told]
    services = wanted.get(Nature.SERVICES)
    if services and services.doubt == Doubt.REGISTRATION and _has(charged, "O"):
        text = _(
            "The service takes place in %(country)s, and the client has no VAT id of that state: "
            "its VAT may be due there, and the company may have to register."
        ) % {"country": invoice.tie_country}
        found.append(Question(text, "#id_tie_country", unregistered_key(invoice.tie_country)))
    return found


def _has(charged: Iterable[Charged], category: str) -> bool:
    return any(line.category == category and line.nature != Nature.GOODS for line in charged)


def vat_warnings(invoice: Invoice, company: Company, issue_date: date, on: date) -> list[Reason]:
    """What is lawful at times and mostly a slip, and what was decided against the rules."""
    lines = list(invoice.lines.all())
    charged = _charged(lines)
    return [
        *_doubt_warnings(invoice, charged, company),
        *_register_warnings(invoice, charged, company, on),
        *_against_the_rules(invoice, lines, company, issue_date),
    ]


def decided_otherwise(invoice: Invoice) -> dict[str, InvoiceEvent]:
    """What an administrator decided about the VAT of this draft, against the rules, by its key."""
    events = invoice.events.filter(kind=InvoiceEvent.Kind.VAT_DECIDED).select_related("by")
    return {key: event for event in events.order_by("at", "pk") for key in event.data["keys"]}


def lacks_rate(invoice: Invoice, company: Company, issue_date: date) -> bool:
    """Whether nothing says what its currency is worth in ours on that day."""
    return is_currency(invoice.currency) and (
        rate_on(invoice.currency, company.currency, issue_date) is None
    )


def _charged(lines: Sequence[InvoiceLine]) -> list[Charged]:
    return [
        Charged(
            line.vat_category,
            Decimal(line.vat_rate),
            line.nature,
            line.vat_category == "AE" and line.exemption_id is not None,
            bool(line.deducts_id or line.adjusts),
        )
        for line in lines
    ]


def _delivery_reasons(invoice: Invoice, charged: Sequence[Charged]) -> list[Reason]:
    """An exempt delivery within the Union shows its day (EN 16931, BR-IC-11)."""
    lines = [place for place, line in enumerate(charged, 1) if line.category == "K"]
    if not lines or invoice.service_from or invoice.service_until:
        return []
    text = ngettext(
        "Line %(lines)s is delivered within the EU: give the day on which it left, as service "
        "from.",
        "Lines %(lines)s are delivered within the EU: give the day on which they left, as service "
        "from.",
        len(lines),
    ) % {"lines": ", ".join(map(str, lines))}
    return [Reason("service_from", text, "#id_service_from")]


def _proof_reasons(
    invoice: Invoice, charged: Sequence[Charged], company: Company | None
) -> list[Reason]:
    """Of what goes without VAT to a business in the Union: its id is the proof that it is one."""
    place = company.place if company else Place("FR")
    home = "FR" if place.of_french_law else place.state
    needs_proof = _needs_proof(invoice, charged, company)
    if needs_proof and invoice.client.buyer_kind == BuyerKind.CONSUMER:
        text = _("Reverse charge and exempt deliveries are for businesses; this client is none.")
        return [Reason("vat_id", text, "client")]
    if needs_proof and (text := _no_proof_of_business(invoice.client.vat_id, home)):
        return [Reason("vat_id", text, "client")]
    at_home = any(line.within_france for line in charged)
    if at_home and not (invoice.client.vat_id or invoice.client.siren):
        # EN 16931, BR-AE-02.
        text = _("Reverse charge needs the client's VAT id or SIREN: both are missing.")
        return [Reason("vat_id", text, "client")]
    return []


def _needs_proof(invoice: Invoice, charged: Sequence[Charged], company: Company | None) -> bool:
    """Whether a line goes without VAT because a business of another state of the Union gets it."""
    abroad = {line.category for line in charged if not line.within_france} & {"AE", "K"}
    if not abroad:
        return False
    supply = supply_of(invoice.client, company, invoice)
    elsewhere = {each.category for each in misplaced(charged, supply) if each.code == "place"}
    return bool(abroad - elsewhere)


def answer_relied_on(
    invoice: Invoice, lines: Sequence[InvoiceLine], company: Company | None
) -> VatCheck | None:
    """The register's last answer about the client's id, where the document rests on that id."""
    if not _needs_proof(invoice, _charged(lines), company):
        return None
    return vat_checks.last_answer(invoice.client.vat_id)


def _register_reasons(
    invoice: Invoice, charged: Sequence[Charged], company: Company | None
) -> list[Reason]:
    """The id has to be in force (goods: directive 2006/112/EC, article 138; services: regulation
    282/2011, article 18). One that the register does not know is no proof, until it says otherwise
    or somebody who has another proof decides so."""
    if not _needs_proof(invoice, charged, company):
        return []
    found = vat_checks.last_answer(invoice.client.vat_id)
    if found is None or found.answer != VatCheck.Answer.INVALID:
        return []
    key = unknown_id_key(found.vat_id)
    if key in decided_otherwise(invoice):
        return []
    text = _(
        "VIES answered on %(day)s that the client's VAT id, %(vat_id)s, is not valid: without a "
        "valid one, VAT is charged."
    ) % {"day": day(found.on), "vat_id": found.vat_id}
    return [Reason("vat_id", text, "vat_check", key)]


def _register_warnings(
    invoice: Invoice, charged: Sequence[Charged], company: Company, on: date
) -> list[Reason]:
    """An id that the register was never asked about, or too long ago, may be good all the same."""
    vat_id = compact(invoice.client.vat_id)
    if not _needs_proof(invoice, charged, company) or not state_of(vat_id):
        return []
    found = vat_checks.last_answer(vat_id)
    if found is None:
        text = _(
            "VIES was never asked whether the client's VAT id, %(vat_id)s, is valid; without VAT, "
            "its answer is the proof."
        ) % {"vat_id": vat_id}
        return [Reason("vat_id", text, "vat_check")]
    days = (on - found.on).days
    if found.answer == VatCheck.Answer.INVALID or days <= vat_checks.FRESH_DAYS:
        return []
    text = ngettext(
        "VIES answered %(n)s day ago that the client's VAT id, %(vat_id)s, is valid: ask it again.",
        "VIES answered %(n)s days ago that the client's VAT id, %(vat_id)s, is valid: ask it "
        "again.",
        days,
    ) % {"n": grouped(days), "vat_id": vat_id}
    return [Reason("vat_id", text, "vat_check")]


def _no_proof_of_business(vat_id: str, home: str) -> str:
    """Why this id does not let an invoice within the Union go without VAT; "" when it does."""
    if not vat_id:
        return _("Reverse charge needs the client's VAT id, which is missing.")
    if state_of(vat_id) in ("", home):
        return _(
            "Reverse charge needs a VAT id of another state of the Union; “%(text)s” is none."
        ) % {"text": vat_id}
    return ""


def _currency_reasons(
    invoice: Invoice, lines: list[InvoiceLine], company: Company | None, issue_date: date
) -> list[Reason]:
    """VAT of a foreign currency is stated in euros too (CGI 289, IV; BR-FR-CO-12)."""
    charges = any(line.vat_category == STANDARD and line.vat_rate for line in lines)
    if company is None or not charges or not is_currency(invoice.currency):
        return []
    if invoice.currency == company.currency:
        return []
    row = row_on(invoice.currency, issue_date)
    if row is not None and is_of(row, issue_date):
        return []
    if row is not None:
        text = _(
            "The last exchange rate for %(currency)s is of %(day)s: the page has to state the VAT "
            "in %(own)s at the one of %(issued)s."
        ) % {
            "currency": invoice.currency,
            "own": company.currency,
            "day": day(row.on),
            "issued": day(issue_date),
        }
        return [Reason("currency", text, "rates")]
    text = _(
        "No exchange rate for %(currency)s is known on %(day)s: the page has to state the VAT in "
        "%(own)s."
    ) % {"currency": invoice.currency, "own": company.currency, "day": day(issue_date)}
    return [Reason("currency", text, "rates")]


def _exemption_reasons(lines: list[InvoiceLine], supplied: date) -> list[Reason]:
    """Reasons for an exemption that the law does not have on the day of supply."""
    if not any(line.exemption_id for line in lines):
        return []
    known = Exemptions().by_id
    found = []
    for place, line in enumerate(lines, 1):
        why = known.get(line.exemption_id or 0)
        if why is not None and not why.holds_on(supplied):
            values = {"line": place, "why": why, "day": day(supplied)}
            text = _("Line %(line)s: “%(why)s” is no reason for no VAT on %(day)s.") % values
            found.append(Reason("vat", text, f"#id_lines-{place - 1}-vat"))
    return found


def _sentence_reasons(
    invoice: Invoice, lines: list[InvoiceLine], company: Company | None, supplied: date
) -> list[Reason]:
    """No line goes without VAT unless the page says by which law, and which holds on that day."""
    supply = supply_of(invoice.client, company, invoice)
    unnamed = {(line.vat_category, line.nature) for line in lines if line.exemption_id is None}
    wanted = {kind for each, nature in unnamed for kind in standing_of(each, supply, [nature])}
    if (
        any(each == "E" for each, _nature in unnamed)
        and company is not None
        and company.in_franchise
    ):
        wanted.add(FRANCHISE)
    found = []
    for category in sorted(wanted):
        if standing_on(category, supplied) is None:
            values = {
                "what": ExemptionReason.Category(category).label,
                "day": day(supplied),
            }
            text = _("No sentence of the law for “%(what)s” holds on %(day)s.") % values
            found.append(Reason("vat", text, "rates"))
    return found


def _vat_field(fault: Fault) -> str:
    name = "nature" if fault.code == "nature" else "vat"
    return f"#id_lines-{fault.line - 1}-{name}"


def _doubt_warnings(invoice: Invoice, charged: Sequence[Charged], company: Company) -> list[Reason]:
    """What the law of the place has to say, which we do not know."""
    if not invoice.tie:
        return []
    doubt = vat_treatment(invoice.client, company, Nature.SERVICES, document=invoice).doubt
    values = {"country": invoice.tie_country}
    if doubt == Doubt.LOCAL_TAX and _has(charged, "O"):
        text = _("The service takes place in %(country)s: a tax of that country may be due there.")
    elif doubt == Doubt.CLIENT_ACCOUNTS and _has(charged, "AE"):
        text = _(
            "The service takes place in %(country)s: check that the law of that state lets the "
            "client account for its VAT (article 194)."
        )
    else:
        return []
    return [Reason("tie_country", text % values, "#id_tie_country")]


def _against_the_rules(
    invoice: Invoice, lines: list[InvoiceLine], company: Company, issue_date: date
) -> list[Reason]:
    """What was decided otherwise and still stands in the lines, with who and why."""
    supplied = invoice.service_until or issue_date
    keys = dict.fromkeys(q.key for q in questions(invoice, lines, company, supplied))
    answer = answer_relied_on(invoice, lines, company)
    if answer is not None and answer.answer == VatCheck.Answer.INVALID:
        keys[unknown_id_key(answer.vat_id)] = None
    decided = decided_otherwise(invoice) if keys else {}
    found = []
    for key in keys:
        if event := decided.get(key):
            values = {"what": told_key(key), "who": event.by, "reason": event.data["reason"]}
            text = _("%(what)s: decided by %(who)s, “%(reason)s”.") % values
            found.append(Reason("vat", text, "#lines"))
    return found
