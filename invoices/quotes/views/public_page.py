"""What the client's page of a quote shows, in the language that is active."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from decimal import Decimal
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from moneyed import Money

from billing_portal.money import digits, formatted, formatted_minor
from invoices.attachments.keeping import attachments_of
from invoices.company.sales_terms import name_of, paragraphs
from invoices.documents.mentions import long_date
from invoices.documents.pdf.labels import UNITS
from invoices.documents.totals import TotalsRefused
from invoices.invoicing.forms.lines import vat_label, vat_value
from invoices.models import Company, QuoteAcceptance, QuoteEvent, QuoteLine, QuoteVersion
from invoices.models.quotes import State
from invoices.quotes import links, words
from invoices.quotes.adjusting import adjusted_in_words, sums_of
from invoices.quotes.choices import Role, groups_of, proposed, taken, totals_of
from invoices.quotes.differing import differences, of_the_whole

# From so many days before the end on, how many are left is said.
LAST_DAYS = 3


def page_of(version: QuoteVersion, token: str, choice: Collection[int], on: date) -> dict[str, Any]:
    quote = version.quote
    lines = list(version.lines.all())
    state = version.state(on)
    acceptance = None
    if state == State.ACCEPTED:
        acceptance = QuoteAcceptance.objects.select_related("version").get(quote=quote)
        choice = set(acceptance.lines.values_list("pk", flat=True))
    newer = quote.version if state == State.REPLACED else None
    return {
        "version": version,
        "quote": quote,
        "client": quote.client,
        "company": Company.ours(),
        "owner": quote.owner if quote.owner and quote.owner.is_active else None,
        "state": state.value,
        "on": on,
        "sent_on": _day(timezone.localdate(version.sent_at)) if version.sent_at else "",
        "valid_until": _day(version.valid_until),
        "days_left": (version.valid_until - on).days,
        "is_last_days": 0 <= (version.valid_until - on).days <= LAST_DAYS,
        "acceptance": acceptance,
        "accepted_at": words.moment(acceptance.at, _language()) if acceptance else {},
        "newer": newer,
        "newer_url": _newer_link(version, newer),
        "terms": version.sales_terms,
        "terms_name": name_of(version.sales_terms) if version.sales_terms else "",
        "terms_text": paragraphs(version.sales_terms.text) if version.sales_terms else [],
        "asked": quote.events.filter(kind=QuoteEvent.Kind.ASKED, version=version, on=on).exists(),
        "changes": _changes(version, lines),
        "sections": _sections([line for line in lines if line.role == Role.INCLUDED], version),
        "accepted_lines": _accepted(lines, choice, version) if acceptance else [],
        "options": _sections([line for line in lines if line.role == Role.OPTION], version, choice),
        "attached": [
            (each, reverse("invoices:guest-file", args=[token, each.pk]))
            for each in attachments_of(quote).filter(shown_to_client=True)
        ],
        "groups": [
            (n, group.section, [_shown(line, version, choice) for line in group.lines])
            for n, group in enumerate(groups_of(lines))
        ],
        **total_of(version, lines, choice),
    }


def _newer_link(version: QuoteVersion, newer: QuoteVersion | None) -> str:
    """To the version that replaced this one, if it was sent to somebody who had this one too."""
    if newer is None or not newer.link_key:
        return ""
    same = set(newer.recipients) & set(version.recipients)
    return links.path_of(newer) if same or not newer.recipients else ""


def total_of(
    version: QuoteVersion, lines: list[QuoteLine], choice: Collection[int]
) -> dict[str, Any]:
    """The sums, the plan of payments and the button, for a choice."""
    kept = taken(lines, choice)
    code = version.currency
    try:
        totals = totals_of(kept, code, version.adjustments)
        # The sums are read by the client: in his words, and each discount with what it comes to.
        said = adjusted_in_words(version, kept, version.language)
    except TotalsRefused as refusal:
        return {"sums_refusal": str(refusal), "total": "–", "total_minor": 0}
    chosen = sum(line.net_minor for line in kept if line.role != Role.INCLUDED)
    return {
        **said,
        "net": formatted_minor(totals.net_minor, code),
        "taxes": [
            (
                vat_label(vat_value(group.vat_category, group.vat_rate)),
                group.vat_category == "S",
                formatted_minor(group.vat_minor, code),
            )
            for group in totals.breakdown
        ],
        "has_vat": any(group.vat_category == "S" for group in totals.breakdown),
        "total": formatted_minor(totals.total_minor, code),
        "total_minor": totals.total_minor,
        "chosen": formatted_minor(chosen, code) if chosen else "",
        "plan": [
            (label, when, formatted_minor(minor, code))
            for label, when, minor in words.plan(version, totals.total_minor, _language())
        ],
    }


def _day(day: date) -> str:
    return long_date(day, _language())


def _language() -> str:
    return "fr" if (get_language() or "").startswith("fr") else "en"


def _sections(
    lines: list[QuoteLine], version: QuoteVersion, choice: Collection[int] = ()
) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for line in lines:
        if not found or found[-1]["name"] != line.section:
            found.append({"name": line.section, "lines": []})
        found[-1]["lines"].append(_shown(line, version, choice))
    return found


def _shown(line: QuoteLine, version: QuoteVersion, choice: Collection[int]) -> dict[str, Any]:
    name, _break, details = line.description.strip().partition("\n")
    language = _language()
    forms = UNITS.get(line.unit)
    plural = abs(line.quantity) >= 2 if language == "fr" else abs(line.quantity) != 1
    return {
        "pk": line.pk,
        "name": name,
        "details": details.strip(),
        "quantity": line.quantity,
        "counted": line.quantity != 1 or line.unit not in ("", "C62", "LS"),
        "unit": forms[language][plural] if forms else line.unit,
        "price": _price(line.unit_price, version.currency),
        "discounted": any((line.discount_percent, line.discount_amount)),
        "net": formatted_minor(line.net_minor, version.currency),
        "ticked": line.pk in choice,
    }


def _price(price: Decimal, currency: str) -> str:
    """A unit price keeps its decimals beyond the coin."""
    places = max(digits(currency), -int(price.normalize().as_tuple().exponent))
    return formatted(Money(price.quantize(Decimal(1).scaleb(-places)), currency))


def _accepted(
    lines: list[QuoteLine], choice: Collection[int], version: QuoteVersion
) -> list[tuple[dict[str, Any], str, str]]:
    """What was accepted; of a choice how it came in, and what it was taken instead of."""
    found = []
    for line in taken(lines, choice):
        others = [
            other.description.split("\n")[0]
            for other in lines
            if line.role == Role.ALTERNATIVE
            and other.role == Role.ALTERNATIVE
            and other.section == line.section
            and other.pk != line.pk
        ]
        found.append((_shown(line, version, choice), line.role, ", ".join(others)))
    return found


def _changes(version: QuoteVersion, lines: list[QuoteLine]) -> dict[str, Any] | None:
    """Since the version before that left, if there was one."""
    before = (
        version.quote.versions.filter(number__lt=version.number, sent_at__isnull=False)
        .order_by("-number")
        .first()
    )
    if before is None:
        return None
    code = version.currency
    rows = [
        (
            each.kind,
            each.name,
            formatted_minor(each.before, before.currency) if each.before is not None else "",
            formatted_minor(each.now, code) if each.now is not None else "",
        )
        for each in [
            *differences(list(before.lines.all()), lines),
            *of_the_whole(_sums_of(before, version), _sums_of(version, version)),
        ]
    ]
    return {
        "number": before.number,
        "rows": rows,
        "total_before": formatted_minor(before.total_minor, before.currency),
        "total_now": formatted_minor(version.total_minor, code),
        "until_before": before.valid_until,
    }


def _sums_of(version: QuoteVersion, newer: QuoteVersion) -> list[tuple[str, int]]:
    """Its discounts and charges, with what is ticked at first; in the words of the newer one."""
    lines = list(version.lines.all())
    return sums_of(version, taken(lines, proposed(lines)), newer.language)
