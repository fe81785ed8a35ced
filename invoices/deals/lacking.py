"""What a won deal lacks before it can be billed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet, prefetch_related_objects
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing_portal.money import LARGEST_MINOR, formatted_minor, is_currency
from billing_portal.notices import in_words
from invoices.clients.recipients import recipients_for
from invoices.clients.vat import vat_treatment
from invoices.company.vat_faults import told_faults
from invoices.company.vat_rates import FrenchRates
from invoices.deals.lines import Drafted, drafted_lines, has_subscription
from invoices.documents.totals import STANDARD, TotalsRefused
from invoices.invoicing.draft_lines import MAX_LINES, told
from invoices.models import Client, Company, Deal
from invoices.tax.judging import Charged


@dataclass(frozen=True)
class Missing:
    """What a deal lacks. Blocking: an invoice of it could not be issued as things stand."""

    field: str
    text: str
    blocking: bool
    # Not even a draft can be made.
    prevents_draft: bool = False


def with_what_billing_needs(deals: QuerySet[Deal]) -> QuerySet[Deal]:
    """The rows that `missing_for` reads, in a fixed number of queries."""
    return deals.select_related(
        "client__client_type", "client_in_crm", "contact", "owner"
    ).prefetch_related(
        *("lines__item", "discounts", "instalments", "client__contacts", "quotes__version"),
        "subscriptions",
    )


def missing_for(deals: Iterable[Deal], company: Company | None = None) -> dict[int, list[Missing]]:
    """What each deal lacks, by primary key; as many queries for a hundred deals as for one."""
    found = list(deals)
    company = company or Company.ours()
    prefetch_related_objects(
        found,
        *("client__contacts", "contact", "lines__item", "discounts", "instalments"),
        "quotes__version",
        "subscriptions",
    )
    rates = FrenchRates()
    return {deal.pk: _missing(deal, company, rates) for deal in found}


def _missing(deal: Deal, company: Company | None, rates: FrenchRates) -> list[Missing]:
    found: list[Missing] = []

    def lacks(field: str, text: str, *, blocking: bool = True, prevents: bool = False) -> None:
        found.append(Missing(field, text, blocking or prevents, prevents))

    if deal.status != Deal.Status.WON:
        lacks("status", _("The deal is not won."), prevents=True)
    if deal.outdated:
        lacks(
            "outdated",
            _("What is here is out of date: %(reason)s") % {"reason": in_words(deal.outdated)},
            prevents=True,
        )
    if (number := _accepted_quote(deal)) is not None:
        text = _("The client accepted the quote %(number)s: bill that, not the deal.")
        lacks("quote", text % {"number": number}, prevents=True)
    client = deal.client
    if client is None:
        lacks("client", _("The deal has no organisation to bill."), prevents=True)
    else:
        _client_lacks(lacks, deal, client)
    if not is_currency(deal.currency):
        lacks(
            "currency",
            _("“%(code)s” is not a currency that we know.") % {"code": deal.currency[:10]},
            prevents=True,
        )
        return found
    _amounts_lack(lacks, deal, client, company, rates)
    return found


def _accepted_quote(deal: Deal) -> str | None:
    """Of a quote of the deal that the client accepted; rows and versions are prefetched."""
    for quote in deal.quotes.all():
        if quote.version is not None and quote.version.status == "accepted":
            return quote.number
    return None


def _client_lacks(lacks: Any, deal: Deal, client: Client) -> None:
    if deal.client_differs and deal.client_in_crm is not None:
        names = {"theirs": deal.client_in_crm.name, "ours": client.name}
        text = _("The CRM now names %(theirs)s, here %(ours)s was chosen: decide who is billed.")
        lacks("other_client", text % names, prevents=True)
    if client.gone_at is not None:
        lacks(
            "client",
            _("%(client)s was deleted in the CRM: check who is billed.") % {"client": client.name},
            blocking=False,
        )
    if not client.has_address:
        lacks("address", _("Billing address"))
    if not recipients_for(deal):
        lacks("billing_email", _("Billing email"), blocking=False)
    treatment = vat_treatment(client, None)
    if treatment.needs_vat_id:
        lacks("vat_id", _no_vat_id(client))
    if client.country == "FR" and not client.siren:
        lacks("siren", _("SIREN"), blocking=False)
    if client.needs_purchase_order and not deal.purchase_order.strip():
        lacks("purchase_order", _("Purchase order, which this client asks for"))


def _no_vat_id(client: Client) -> str:
    if not client.vat_id:
        return _("VAT id: without one, French VAT is charged.")
    return _(
        "VAT id: “%(text)s” is none of another state of the Union, so French VAT is charged."
    ) % {"text": client.vat_id}


def _amounts_lack(
    lacks: Any, deal: Deal, client: Client | None, company: Company | None, rates: FrenchRates
) -> None:
    treatment = vat_treatment(client or Client(country="FR"), company)
    enabled = [line for line in deal.lines.all() if line.enabled]
    if not enabled:
        lacks(
            "lines", _("The deal has no lines: its title and value make one line."), blocking=False
        )
    if abs(deal.value_minor) > LARGEST_MINOR:
        lacks("value", _("The value is too large: check the figure."), prevents=True)
        return
    try:
        drafted = drafted_lines(deal, treatment)
    except TotalsRefused as refusal:
        lacks("lines", str(refusal), prevents=True)
        return
    subscribed = has_subscription(deal)
    if subscribed and enabled and not drafted.lines:
        lacks("lines", _("All its lines recur: its subscription bills them."), prevents=True)
    elif drafted.totals.total_minor == 0:
        lacks("value", _("The amount is zero: there is nothing to bill."))
    elif drafted.totals.total_minor < 0:
        lacks(
            "value",
            _(
                "The amount is negative: a credit note answers an invoice. The client’s page makes "
                "one over several invoices, or over a period."
            ),
        )
    if len(drafted.lines) > MAX_LINES:
        lacks("lines", _("More than %(limit)s lines.") % {"limit": MAX_LINES}, prevents=True)
    if enabled and not subscribed and drafted.deal_sum_minor != deal.value_minor:
        lacks(
            "value",
            _("The deal's value is %(value)s, its lines make %(sum)s.")
            % {
                "value": formatted_minor(deal.value_minor, deal.currency),
                "sum": formatted_minor(drafted.deal_sum_minor, deal.currency),
            },
            blocking=False,
        )
    if not (company and company.in_franchise) and (exempt := _exempt_lines(drafted)):
        lacks("exempt", exempt)
    charged = [
        Charged(line.amounts.vat_category, line.amounts.vat_rate, line.nature)
        for line in drafted.lines
    ]
    for text, _fault in told_faults(charged, seller=company, on=deal.service_until, rates=rates):
        lacks("vat", text)
    for note in drafted.notes:
        if note["code"] in ("recurring", "vat_assumed", "gross_differs"):
            lacks("lines", told(note), blocking=False)
    if treatment.category != STANDARD and any(
        line.amounts.vat_category == STANDARD for line in drafted.lines
    ):
        lacks(
            "vat", _("The deal charges VAT to a client outside our VAT territory."), blocking=False
        )


def _exempt_lines(drafted: Drafted) -> str:
    """What the note of the draft has to say before it is issued; "" when no line is exempt."""
    if not any(line.amounts.vat_category == "E" for line in drafted.lines):
        return ""
    places = [str(note["line"]) for note in drafted.notes if note["code"] == "exempt_assumed"]
    if not places:
        return _("No VAT is charged: the note of the draft must name the article of law.")
    text = ngettext(
        "Line %(lines)s has no VAT, other lines have: it counts as exempt, and the note of the "
        "draft must name the article of law.",
        "Lines %(lines)s have no VAT, other lines have: they count as exempt, and the note of the "
        "draft must name the article of law.",
        len(places),
    )
    return text % {"lines": ", ".join(places)}
