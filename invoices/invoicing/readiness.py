"""Why a draft cannot be issued yet, and what a person should look at before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing_portal.dates import day
from billing_portal.figures import grouped, percent
from billing_portal.money import formatted_minor, is_currency
from invoices.clients.recipients import address_problem
from invoices.clients.vat import vat_treatment
from invoices.company import dating, numbering
from invoices.company.exemptions import Exemptions
from invoices.company.rates import rate_on
from invoices.company.vat_faults import key_of, told_faults, told_key, told_misplaced
from invoices.company.vat_rates import FrenchRates
from invoices.documents.pdf import render
from invoices.documents.totals import STANDARD, TotalsRefused
from invoices.invoicing import deal_basis, drafting, snapshot
from invoices.models import Company, Invoice, InvoiceEvent, InvoiceLine
from invoices.models.terms import TermsKind, latest_lawful_due_date
from invoices.tax.judging import Fault, misplaced
from invoices.tax.vat_ids import state_of


@dataclass(frozen=True)
class Reason:
    """Why a draft cannot be issued yet. `anchor` leads to the field: "#id_due_date" in the editor,
    "client", "company", "rates", "books" and "deal" on their own pages."""

    field: str
    text: str
    anchor: str
    # What an administrator may decide otherwise (invoicing.deciding_otherwise); "" for the rest.
    key: str = ""


def reasons_not_to_issue(
    invoice: Invoice,
    on: date,
    *,
    sending: bool = False,
    lines: Sequence[InvoiceLine] | None = None,
    company: Company | None = None,
) -> list[Reason]:
    """All that stands in the way of issuing this draft on `on`; empty when nothing does.

    A total of zero is refused too: nobody owes anything, and no payment could ever settle it.
    `lines` when somebody is typing and they are not stored yet; `company` where it is at hand.
    """
    if not invoice.is_draft:
        return [Reason("status", _not_a_draft(invoice), "")]
    company = company or Company.ours()
    lines = list(invoice.lines.all() if lines is None else lines)
    return [
        *company_reasons(company, charges=any(line.vat_category == STANDARD for line in lines)),
        *_client_reasons(invoice, lines, company),
        *line_reasons(invoice, lines, company),
        *_vat_reasons(invoice, lines, company, on),
        *_date_reasons(invoice, on),
        *_number_reasons(invoice, company, on),
        *_deal_reasons(invoice),
        *_sending_reasons(invoice, sending=sending),
    ]


def warnings_before_issue(
    invoice: Invoice, on: date, *, company: Company | None = None
) -> list[Reason]:
    """What a person should look at before issuing, though the law does not forbid it."""
    company = company or Company.ours()
    if not invoice.is_draft or company is None:
        return []
    found: list[Reason] = []
    issue_date, due = drafting.dates_of(invoice, on)
    client = invoice.client
    if client.country != "FR" and due > latest_lawful_due_date(issue_date, invoice.terms_kind):
        found.append(Reason("due_date", _too_late(issue_date, due, invoice), "#id_due_date"))
    if is_currency(invoice.currency) and (
        rate_on(invoice.currency, company.currency, issue_date) is None
    ):
        found.append(
            Reason(
                "currency",
                _(
                    "No exchange rate for %(currency)s is known: figures in %(own)s leave this "
                    "invoice out, and the page cannot state its VAT in euros."
                )
                % {"currency": invoice.currency, "own": company.currency},
                "rates",
            )
        )
    if client.country == "FR" and not client.siren:
        found.append(Reason("siren", _("The client's SIREN is missing."), "client"))
    if not company.iban:
        found.append(Reason("company.iban", _("No IBAN: the page says no account."), "company"))
    if snapshot.penalty_rate(issue_date) is None:
        found.append(
            Reason(
                "penalty",
                _("No late-payment rate is known for this day: the page names the legal one."),
                "rates",
            )
        )
    if (back := (on - issue_date).days) > 1:
        found.append(Reason("issue_date", _dated_back(back), "#id_issue_date"))
    if not invoice.recipients:
        found.append(Reason("recipients", _("Nobody would receive it."), "#id_recipients"))
    found += _vat_warnings(invoice, company, issue_date)
    found += _against_the_rules(invoice, company)
    paper = snapshot.paper_on(invoice, on, company=company)
    if odd := render.unprintable(paper) if paper else ():
        found.append(
            Reason(
                "lines",
                _("The page cannot print these characters: %(characters)s")
                % {"characters": " ".join(odd)[:80]},
                "#lines",
            )
        )
    return found


def _vat_warnings(invoice: Invoice, company: Company, on: date) -> list[Reason]:
    """VAT where the client's territory has none, or at a rate that it does not have.

    Warnings and no more: what is done about a building is taxed where the building stands.
    """
    treatment = vat_treatment(invoice.client, company)
    rates = {
        Decimal(line.vat_rate) for line in invoice.lines.all() if line.vat_category == STANDARD
    }
    if rates and treatment.category != STANDARD:
        text = _("VAT is charged to a client outside our VAT territory.")
        return [Reason("vat", text, "#lines")]
    supplied = invoice.service_until or on
    usual = FrenchRates().on(supplied, treatment.territory) if company.country == "FR" else ()
    odd = rates - set(usual) if usual else set()
    if not odd:
        return []
    text = _("Where the client is, VAT is %(usual)s; here it is %(odd)s.") % {
        "usual": ", ".join(percent(rate) for rate in usual),
        "odd": ", ".join(percent(rate) for rate in sorted(odd, reverse=True)),
    }
    return [Reason("vat", text, "#lines")]


def _against_the_rules(invoice: Invoice, company: Company) -> list[Reason]:
    """What was decided otherwise and still stands in the lines, with who and why."""
    territory = vat_treatment(invoice.client, company).territory
    charged = [(line.vat_category, Decimal(line.vat_rate)) for line in invoice.lines.all()]
    faults = misplaced(charged, home=company.country, territory=territory)
    keys = dict.fromkeys(key_of(fault.category, territory) for fault in faults)
    decided = decided_otherwise(invoice) if keys else {}
    found = []
    for key in keys:
        if event := decided.get(key):
            values = {"what": told_key(key), "who": event.by, "reason": event.data["reason"]}
            text = _("%(what)s: decided by %(who)s, “%(reason)s”.") % values
            found.append(Reason("vat", text, "#lines"))
    return found


def _not_a_draft(invoice: Invoice) -> str:
    if invoice.status == Invoice.Status.VOID:
        return _("This draft was discarded.")
    if invoice.issued_by is None or invoice.issued_at is None:
        return _("%(number)s is issued already.") % {"number": invoice.number}
    return _("%(number)s is issued already, by %(person)s on %(day)s.") % {
        "number": invoice.number,
        "person": invoice.issued_by,
        "day": day(timezone.localdate(invoice.issued_at)),
    }


def company_reasons(company: Company | None, *, charges: bool = False) -> list[Reason]:
    """What the law wants of the seller; one that `charges` VAT needs its id."""
    if company is None:
        return [Reason("company", _("Say who sells: fill in the company in Settings."), "company")]
    wanted = [
        ("name", company.name, _("The company's name is missing.")),
        (
            "address_line1",
            company.address_line1 and company.city,
            _("The company's address is missing."),
        ),
        (
            "siren",
            company.siren or company.country != "FR",
            _("The company's SIREN is missing."),
        ),
        (
            "vat_id",
            company.vat_id or company.in_franchise or not (company.vat_rate or charges),
            _("The company's VAT id is missing."),
        ),
    ]
    return [
        Reason(f"company.{field}", text, "company") for field, value, text in wanted if not value
    ]


def _client_reasons(
    invoice: Invoice, lines: list[InvoiceLine], company: Company | None
) -> list[Reason]:
    client = invoice.client
    found = []
    if not client.name.strip():
        found.append(Reason("client", _("The client has no name."), "client"))
    if not client.has_address:
        found.append(Reason("address", _("The client's address is missing."), "client"))
    if client.needs_purchase_order and not invoice.purchase_order.strip():
        found.append(
            Reason(
                "purchase_order",
                _("This client asks for a purchase order on every invoice."),
                "#id_purchase_order",
            )
        )
    home = company.country if company else "FR"
    charged = [(line.vat_category, Decimal(line.vat_rate)) for line in lines]
    territory = vat_treatment(client, company).territory
    elsewhere = {each.category for each in misplaced(charged, home=home, territory=territory)}
    needs_proof = {category for category, _rate in charged} & {"AE", "K"} - elsewhere
    if needs_proof and (text := _no_proof_of_business(client.vat_id, home)):
        found.append(Reason("vat_id", text, "client"))
    return found


def _no_proof_of_business(vat_id: str, home: str) -> str:
    """Why this id does not let an invoice within the Union go without VAT; "" when it does."""
    if not vat_id:
        return _("Reverse charge needs the client's VAT id, which is missing.")
    if state_of(vat_id) in ("", home):
        return _(
            "Reverse charge needs a VAT id of another state of the Union; “%(text)s” is none."
        ) % {"text": vat_id}
    return ""


def line_reasons(
    invoice: Invoice, lines: list[InvoiceLine], company: Company | None
) -> list[Reason]:
    found = []
    if not is_currency(invoice.currency):
        return [Reason("currency", _("Choose a currency."), "#id_currency")]
    if not lines:
        return [Reason("lines", _("There is no line."), "#lines")]
    for place, line in enumerate(lines, 1):
        if not line.description.strip():
            found.append(
                Reason(
                    "lines",
                    _("Line %(line)s has no description.") % {"line": place},
                    f"#id_lines-{place - 1}-description",
                )
            )
        if line.price_missing:
            found.append(
                Reason(
                    "lines",
                    _("Line %(line)s has no price: type it, or 0 when it is free.")
                    % {"line": place},
                    f"#id_lines-{place - 1}-unit_price",
                )
            )
    exempt = [
        place
        for place, line in enumerate(lines, 1)
        if line.vat_category == "E" and line.exemption_id is None
    ]
    # In the franchise the page says why by itself.
    says_why = invoice.note.strip() or (company and company.in_franchise)
    if exempt and not says_why:
        found.append(Reason("note", _exempt_without_a_reason(exempt, len(lines)), "#id_note"))
    try:
        totals = drafting.totals_of(invoice, lines)
    except TotalsRefused as refusal:
        return [*found, Reason("lines", str(refusal), "#lines")]
    if totals.total_minor <= 0:
        found.append(
            Reason(
                "total",
                _("The total is %(total)s: an invoice asks for something.")
                % {"total": formatted_minor(totals.total_minor, invoice.currency)},
                "#lines",
            )
        )
    return found


def _exempt_without_a_reason(exempt: list[int], lines: int) -> str:
    if len(exempt) == lines:
        return _("No VAT is charged: the note must name the article of law.")
    return ngettext(
        "Line %(lines)s is exempt from VAT: the note must name the article of law.",
        "Lines %(lines)s are exempt from VAT: the note must name the article of law.",
        len(exempt),
    ) % {"lines": ", ".join(map(str, exempt))}


def _vat_reasons(
    invoice: Invoice, lines: list[InvoiceLine], company: Company | None, on: date
) -> list[Reason]:
    """Rates that France does not have on the day of supply."""
    issue_date, _due = drafting.dates_of(invoice, on)
    home = company.country if company else "FR"
    supplied = invoice.service_until or issue_date
    charged = [(line.vat_category, Decimal(line.vat_rate)) for line in lines]
    found = [
        Reason("vat", text, _vat_field(fault))
        for text, fault in told_faults(charged, seller=company, on=supplied, rates=FrenchRates())
    ]
    found += _exemption_reasons(lines, supplied)
    territory = vat_treatment(invoice.client, company).territory
    places = told_misplaced(charged, home=home, territory=territory)
    decided = decided_otherwise(invoice) if places else {}
    for text, fault in places:
        key = key_of(fault.category, territory)
        if key not in decided:
            found.append(Reason("vat", text, _vat_field(fault), key))
    return found


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
            text = _("Line %(line)s: “%(why)s” is no reason for an exemption on %(day)s.") % values
            found.append(Reason("vat", text, f"#id_lines-{place - 1}-vat"))
    return found


def _vat_field(fault: Fault) -> str:
    return f"#id_lines-{fault.line - 1}-vat"


def decided_otherwise(invoice: Invoice) -> dict[str, InvoiceEvent]:
    """What an administrator decided about the VAT of this draft, against the rules, by its key."""
    events = invoice.events.filter(kind=InvoiceEvent.Kind.VAT_DECIDED).select_related("by")
    return {key: event for event in events.order_by("at", "pk") for key in event.data["keys"]}


def _date_reasons(invoice: Invoice, on: date) -> list[Reason]:
    found = []
    issue_date, due = drafting.dates_of(invoice, on)
    if issue_date > on:
        found.append(Reason("issue_date", _("The issue date is in the future."), "#id_issue_date"))
    elif issue_date < drafting.EARLIEST:
        found.append(Reason("issue_date", _("The issue date is out of range."), "#id_issue_date"))
    if text := dating.date_reason(invoice.kind, issue_date, on):
        found.append(Reason("issue_date", text, "#id_issue_date"))
    if due < issue_date:
        found.append(
            Reason("due_date", _("The due date is before the issue date."), "#id_due_date")
        )
    start, end = invoice.service_from, invoice.service_until
    if start and end and end < start:
        text = _("The service ends before it begins.")
        found.append(Reason("service_until", text, "#id_service_until"))
    if invoice.client.country == "FR" and due > latest_lawful_due_date(
        issue_date, invoice.terms_kind
    ):
        found.append(Reason("due_date", _too_late(issue_date, due, invoice), "#id_due_date"))
    return found


def _dated_back(days: int) -> str:
    return ngettext(
        "It is dated %(n)s day back: is the year right?",
        "It is dated %(n)s days back: is the year right?",
        days,
    ) % {"n": grouped(days)}


def _number_reasons(invoice: Invoice, company: Company | None, on: date) -> list[Reason]:
    if company is None:
        return []
    issue_date, _due = drafting.dates_of(invoice, on)
    number = numbering.next_number(invoice.kind, issue_date.year, company)
    text = numbering.taken_reason(number)
    return [Reason("number", text, "books")] if text else []


def _too_late(issue_date: date, due: date, invoice: Invoice) -> str:
    limit = latest_lawful_due_date(issue_date, invoice.terms_kind)
    values = {"days": (due - issue_date).days, "limit": day(limit)}
    if invoice.terms_kind == TermsKind.NET:
        return _("%(days)s days after issue. The law allows 60: %(limit)s at the latest.") % values
    return (
        _("%(days)s days after issue. The law allows 45, end of month: %(limit)s at the latest.")
        % values
    )


def _deal_reasons(invoice: Invoice) -> list[Reason]:
    text = deal_basis.reason_not_to_issue(invoice)
    return [Reason("deal", text, "deal")] if text else []


def _sending_reasons(invoice: Invoice, *, sending: bool) -> list[Reason]:
    if sending and not invoice.recipients:
        return [
            Reason("recipients", _("Say who receives it by email."), "#id_recipients"),
        ]
    if wrong := address_problem(invoice.recipients):
        return [Reason("recipients", wrong, "#id_recipients")]
    return []
