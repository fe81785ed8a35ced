"""Why a draft cannot be issued yet, and what a person should look at before."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing_portal.dates import day
from billing_portal.figures import grouped, percent
from billing_portal.money import formatted_minor, is_currency
from invoices.clients.recipients import address_problem
from invoices.company import dating, late_rates, numbering
from invoices.documents.totals import STANDARD, TotalsRefused
from invoices.invoicing import (
    deal_basis,
    deducting,
    drafting,
    dues,
    origins,
    replacing,
    unprintable,
)
from invoices.invoicing.by_platform import route_warnings
from invoices.invoicing.reasons import Reason
from invoices.invoicing.vat_readiness import lacks_rate, vat_reasons, vat_warnings
from invoices.models import ClientType, Company, Invoice, InvoiceLine
from invoices.models.clients import BuyerKind
from invoices.models.terms import TermsKind, latest_lawful_due_date


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
        *_client_reasons(invoice),
        *_platform_reasons(invoice, company, on),
        *line_reasons(invoice, lines, company),
        *unprintable.reasons_of_draft(invoice, lines, company),
        *vat_reasons(invoice, lines, company, on),
        *_date_reasons(invoice, on),
        *_penalty_reasons(invoice, on),
        *_number_reasons(invoice, company, on),
        *_deal_reasons(invoice),
        *deducting.reasons(invoice),
        *replacing.reasons(invoice),
        *_sending_reasons(invoice, sending=sending),
    ]


def warnings_before_issue(
    invoice: Invoice, on: date, *, company: Company | None = None
) -> list[Reason]:
    """What a person should look at before issuing, though the law does not forbid it."""
    company = company or Company.ours()
    if not invoice.is_draft or company is None:
        return []
    found: list[Reason] = origins.warnings_of(invoice)
    issue_date, _due = drafting.dates_of(invoice, on)
    due = dues.last_day_of_rest(invoice, issue_date)
    client = invoice.client
    if client.country != "FR" and due > latest_lawful_due_date(issue_date, dues.kind_of(invoice)):
        found.append(Reason("due_date", _too_late(issue_date, due, invoice), "#id_due_date"))
    if lacks_rate(invoice, company, issue_date) and not invoice.vat_minor:
        found.append(
            Reason(
                "currency",
                _(
                    "No exchange rate for %(currency)s is known: figures in %(own)s leave this "
                    "invoice out."
                )
                % {"currency": invoice.currency, "own": company.currency},
                "rates",
            )
        )
    found += _client_warnings(invoice, company, on)
    if not company.iban:
        found.append(Reason("company.iban", _("No IBAN: the page says no account."), "company"))
    buyer = client.buyer_kind
    known = late_rates.row_on(buyer, issue_date) or late_rates.ended_row(buyer, issue_date)
    if not known and buyer != BuyerKind.CONSUMER:
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
    found += vat_warnings(invoice, company, issue_date, on)
    return found


def _client_warnings(invoice: Invoice, company: Company, on: date) -> list[Reason]:
    client = invoice.client
    found = []
    if _goes_through_a_platform(invoice, company, on):
        found += route_warnings(invoice)
    elif client.country == "FR" and not client.siren and client.buyer_kind != BuyerKind.CONSUMER:
        found.append(Reason("siren", _("The client's SIREN is missing."), "client"))
    if (
        client.client_type.mark == ClientType.Mark.PUBLIC
        and client.buyer_kind == BuyerKind.BUSINESS
    ):
        text = _(
            "By its type the client is of the public sector, by law it counts as a business: a "
            "public body owes the ECB's rate and 8 points, not 10."
        )
        found.append(Reason("buyer_kind", text, "client"))
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
            company.siren or not company.of_france,
            _("The company's SIREN is missing."),
        ),
        (
            "vat_group",
            not company.in_vat_group or company.vat_group_vat_id,
            _("The VAT group is not named: fill it in under Settings → Invoicing."),
        ),
        # C. com. R123-238.
        (
            "legal_form",
            company.legal_form or not company.of_france,
            _("The company's legal form is missing: SAS, SARL, EI…"),
        ),
        (
            "capital",
            company.capital or not company.has_capital,
            _("The share capital is missing: a %(form)s states it on its invoices.")
            % {"form": company.legal_form},
        ),
        (
            "rcs_city",
            company.rcs_city or not company.has_capital,
            _("The city of the trade register (RCS) is missing: a %(form)s states it.")
            % {"form": company.legal_form},
        ),
        (
            "vat_id",
            company.vat_id or company.in_franchise or not (charges or company.vat_rate),
            _("The company's VAT id is missing."),
        ),
    ]
    return [
        Reason(f"company.{field}", text, "company") for field, value, text in wanted if not value
    ]


def _platform_reasons(invoice: Invoice, company: Company | None, on: date) -> list[Reason]:
    """An approved platform finds the buyer by its SIREN (BR-FR-11)."""
    if not _goes_through_a_platform(invoice, company, on) or invoice.client.siren:
        return []
    text = _("The client's SIREN is missing: an e-invoice to a French business needs it.")
    return [Reason("siren", text, "client")]


def _goes_through_a_platform(invoice: Invoice, company: Company | None, on: date) -> bool:
    issue_date, _due = drafting.dates_of(invoice, on)
    client = invoice.client
    of_france = client.country == "FR" and client.buyer_kind != BuyerKind.CONSUMER
    return of_france and company is not None and company.must_einvoice(issue_date)


def _client_reasons(invoice: Invoice) -> list[Reason]:
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
    return found


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
    if totals.total_minor < 0 and invoice.is_final:
        text = _(
            "The deposits are %(over)s more than what is billed: credit them in part first, or "
            "leave one out."
        ) % {"over": formatted_minor(-totals.total_minor, invoice.currency)}
        found.append(Reason("total", text, "#lines"))
    elif totals.total_minor <= 0 and not invoice.is_final:
        found.append(
            Reason(
                "total",
                _(
                    "The total is %(total)s: an invoice asks for something. What is owed to the "
                    "client is a credit note: “Rebate” on the client’s page makes one."
                )
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
    if text := dues.problem(invoice, issue_date):
        anchor = "#id_retention_percent" if invoice.retention_percent else "#id_terms"
        found.append(Reason("dues", text, anchor))
    start, end = invoice.service_from, invoice.service_until
    if start and end and end < start:
        text = _("The service ends before it begins.")
        found.append(Reason("service_until", text, "#id_service_until"))
    due = dues.last_day_of_rest(invoice, issue_date)
    if invoice.client.country == "FR" and due > latest_lawful_due_date(
        issue_date, dues.kind_of(invoice)
    ):
        found.append(Reason("due_date", _too_late(issue_date, due, invoice), "#id_due_date"))
    return found


def _dated_back(days: int) -> str:
    return ngettext(
        "It is dated %(n)s day back: is the year right?",
        "It is dated %(n)s days back: is the year right?",
        days,
    ) % {"n": grouped(days)}


def _penalty_reasons(invoice: Invoice, on: date) -> list[Reason]:
    """A rate whose half-year is over is no rate: it is not printed as if it were."""
    issue_date, _due = drafting.dates_of(invoice, on)
    ended = late_rates.ended_row(invoice.client.buyer_kind, issue_date)
    if ended is None or ended.ends_on is None:
        return []
    values = {
        "percent": percent(ended.percent),
        "ended": day(ended.ends_on),
        "day": day(issue_date),
    }
    text = _(
        "No late-penalty rate holds on %(day)s: the one kept, %(percent)s, ended on %(ended)s."
    )
    return [Reason("penalty", text % values, "rates")]


def _number_reasons(invoice: Invoice, company: Company | None, on: date) -> list[Reason]:
    if company is None:
        return []
    issue_date, _due = drafting.dates_of(invoice, on)
    text = numbering.number_reason(numbering.series_for(invoice.kind, issue_date), issue_date)
    return [Reason("number", text, "books")] if text else []


def _too_late(issue_date: date, due: date, invoice: Invoice) -> str:
    limit = latest_lawful_due_date(issue_date, dues.kind_of(invoice))
    values = {"days": (due - issue_date).days, "limit": day(limit)}
    if dues.kind_of(invoice) == TermsKind.NET:
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
