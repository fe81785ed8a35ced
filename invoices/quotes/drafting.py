"""A quote while it is written: changed, discarded; beginning.py begins one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from django.db import transaction
from django.utils.translation import gettext as _

from billing_portal.accounts.models import User
from billing_portal.changes import write_down
from billing_portal.money import is_currency
from invoices.clients.recipients import address_problem
from invoices.documents.totals import TotalsRefused, compute
from invoices.invoicing.draft_lines import MAX_LINES, DraftLine
from invoices.invoicing.line_input import lines_in
from invoices.invoicing.supplying import supplied_problems
from invoices.models import Quote, QuoteEvent, QuoteLine, QuoteVersion
from invoices.models.quotes import State
from invoices.models.supplied import SUPPLIED
from invoices.models.terms import TermsKind
from invoices.quotes.choices import deposit_of, proposed, taken, totals_of
from invoices.quotes.refusals import QuoteRefused

LATEST: Final = date(2100, 1, 1)
HEADER_FIELDS: Final = (
    "title",
    "language",
    "currency",
    "valid_until",
    "terms_kind",
    "terms_days",
    "deposit_percent",
    "deposit_minor",
    "note",
    "recipients",
    "adjustments",
    *SUPPLIED,
)
# What a quote says of a line beside what an invoice does.
CHOICE_FIELDS: Final = ("role", "section", "proposed")


def locked(quote_id: int) -> Quote:
    """The quote under its lock, which every change of its versions takes first."""
    # Its version is read after the lock and not beside it: PostgreSQL, which waits for the lock,
    # would answer with the version of before (accepted meanwhile, and withdrawn all the same).
    quote = Quote.objects.select_for_update().filter(pk=quote_id).first()
    if quote is None:
        raise QuoteRefused(_("This quote is no longer here."))
    return Quote.objects.select_related("version", "client", "deal", "owner").get(pk=quote_id)


def locked_draft(version_id: int) -> QuoteVersion:
    """The draft of a quote that is locked with it. Raises QuoteRefused."""
    found = QuoteVersion.objects.filter(pk=version_id).values_list("quote_id", flat=True).first()
    if found is None:
        raise QuoteRefused(_("This quote is no longer here."))
    quote = locked(found)
    version = quote.versions.get(pk=version_id)
    version.quote = quote
    if version.status == State.DISCARDED:
        raise QuoteRefused(_("This draft was discarded."))
    if not version.is_draft:
        raise QuoteRefused(
            _("%(number)s was sent and cannot be changed: make a new version.")
            % {"number": quote.number}
        )
    return version


def save_version(
    *,
    version_id: int,
    header: Mapping[str, Any],
    lines: Sequence[Mapping[str, Any]],
    by: User | None,
    seen: datetime | None = None,
) -> dict[str, str]:
    """Replace the words and lines of a draft; problems by field, with one nothing is saved.

    As `invoicing.drafting.save_draft`; a line brings CHOICE_FIELDS too. Raises QuoteRefused, also
    when somebody changed it since `seen`.
    """
    with transaction.atomic():
        version = locked_draft(version_id)
        if seen is not None and version.updated_at != seen:
            raise QuoteRefused(
                _("Somebody changed this quote meanwhile. Nothing was overwritten: load it again.")
            )
        problems = _header_problems(header, version)
        currency = str(header.get("currency", version.currency))
        known = currency if "currency" not in problems else version.currency
        inputs, line_problems = lines_in([of_invoice(line) for line in lines], known)
        problems |= line_problems
        problems |= choice_problems(lines)
        if not problems:
            try:
                compute([line.amounts for line in inputs], currency=currency)
            except TotalsRefused as refusal:
                problems["lines"] = str(refusal)
        if problems:
            return problems
        for field, value in header.items():
            setattr(version, field, value)
        version.save()
        _replace_lines(version, inputs, lines)
        try:
            add_up(version)
        except QuoteRefused as refusal:
            # The lines were added up above: it is what is taken off the whole of them.
            transaction.set_rollback(True)
            return {"adjustments": str(refusal)}
        if version.deposit_minor > deposit_of(version, version.total_minor):
            transaction.set_rollback(True)
            return {"deposit": _("The deposit is more than the quote: at most its total.")}
        write_down(version, ["draft"], by)
        return {}


def of_invoice(line: Mapping[str, Any]) -> dict[str, Any]:
    """A line that is typed without its choice: as one of an invoice."""
    return {name: value for name, value in line.items() if name not in CHOICE_FIELDS}


def _replace_lines(
    version: QuoteVersion,
    inputs: Sequence[DraftLine],
    given: Sequence[Mapping[str, Any]],
) -> None:
    version.lines.all().delete()
    QuoteLine.objects.bulk_create(
        QuoteLine(
            role=choice.get("role", QuoteLine.Role.INCLUDED),
            section=choice.get("section", ""),
            proposed=bool(choice.get("proposed")),
            **columns_of(version, position, line),
        )
        for position, (line, choice) in enumerate(zip(inputs, given, strict=True), 1)
    )


def columns_of(version: QuoteVersion, position: int, line: DraftLine) -> dict[str, Any]:
    """What a line of a quote has in common with one of a draft invoice."""
    return {
        "version": version,
        "position": position,
        "description": line.description,
        "unit": line.unit,
        "quantity": line.amounts.quantity,
        "unit_price": line.amounts.unit_price,
        "price_missing": line.price_missing,
        "discount_percent": line.amounts.discount_percent,
        "discount_amount": line.amounts.discount_amount,
        "vat_category": line.amounts.vat_category,
        "vat_rate": line.amounts.vat_rate,
        "exemption_id": line.exemption_id,
        "nature": line.nature,
        "item_id": line.item_id,
    }


def add_up(version: QuoteVersion) -> None:
    """The net of each line, and the totals with what is ticked at first. Raises QuoteRefused."""
    lines = list(version.lines.all())
    try:
        for line, amounts in zip(lines, totals_of(lines, version.currency).lines, strict=True):
            line.net_minor = amounts.net_minor
        kept = taken(lines, proposed(lines))
        totals = totals_of(kept, version.currency, version.adjustments)
    except TotalsRefused as refusal:
        raise QuoteRefused(str(refusal)) from None
    QuoteLine.objects.bulk_update(lines, ["net_minor"])
    version.net_minor, version.vat_minor = totals.net_minor, totals.vat_minor
    version.total_minor = totals.total_minor
    version.save(update_fields=["net_minor", "vat_minor", "total_minor", "updated_at"])


def choice_problems(lines: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """What is wrong with options and alternatives: `lines.3.role` and sentences, from 0."""
    found: dict[str, str] = {}
    groups: dict[str, list[int]] = {}
    if len(lines) > MAX_LINES:
        return found
    for place, line in enumerate(lines):
        role = line.get("role", QuoteLine.Role.INCLUDED)
        section = str(line.get("section", ""))
        if role not in QuoteLine.Role.values:
            found[f"lines.{place}.role"] = _("Choose what the line is: included or to choose.")
        elif len(section) > 120:
            found[f"lines.{place}.section"] = _("At most %(limit)s characters.") % {"limit": 120}
        elif role == QuoteLine.Role.ALTERNATIVE and not section:
            found[f"lines.{place}.section"] = _(
                "Give the alternatives a heading: the client takes one of those under the same one."
            )
        elif role == QuoteLine.Role.ALTERNATIVE:
            groups.setdefault(section, []).append(place)
    for section, places in groups.items():
        ticked = [place for place in places if lines[place].get("proposed")]
        if len(places) == 1:
            found[f"lines.{places[0]}.role"] = _(
                "“%(section)s” has one alternative only: add another one, or make it an option."
            ) % {"section": section}
        elif len(ticked) > 1:
            found[f"lines.{ticked[1]}.role"] = _(
                "“%(section)s” proposes two alternatives: propose one."
            ) % {"section": section}
    return found


def _header_problems(header: Mapping[str, Any], version: QuoteVersion) -> dict[str, str]:
    problems: dict[str, str] = {}
    if unknown := set(header) - set(HEADER_FIELDS):
        raise ValueError(f"save_version knows no {', '.join(sorted(unknown))}")
    problems |= supplied_problems(header, version)
    if header.get("language", "fr") not in ("fr", "en"):
        problems["language"] = _("Documents are in French or in English.")
    if not is_currency(str(header.get("currency", version.currency))):
        problems["currency"] = _("Choose a currency.")
    if header.get("terms_kind", TermsKind.NET) not in TermsKind.values:
        problems["terms_kind"] = _("Choose payment terms.")
    if not 0 <= int(header.get("terms_days", 0)) <= 365:
        problems["terms_days"] = _("Between 0 and 365 days.")
    for field, limit in (("title", 255), ("note", 2000)):
        if len(str(header.get(field, ""))) > limit:
            problems[field] = _("At most %(limit)s characters.") % {"limit": limit}
    if "valid_until" in header and header["valid_until"] is None:
        problems["valid_until"] = _("Say until when it can be accepted.")
    elif header.get("valid_until", version.valid_until) > LATEST:
        problems["valid_until"] = _("This day is out of range.")
    percent = Decimal(header.get("deposit_percent", 0))
    amount = int(header.get("deposit_minor", 0))
    if not 0 <= percent <= 100:
        problems["deposit"] = _("A deposit lies between 0 and 100 per cent.")
    elif amount < 0:
        problems["deposit"] = _("A deposit cannot be negative.")
    if "recipients" in header and (wrong := address_problem(header["recipients"])):
        problems["recipients"] = wrong
    return problems


def discard(*, version_id: int, by: User | None, on: date) -> Quote:
    """The draft goes; a version that left before stays as it was. Raises QuoteRefused."""
    with transaction.atomic():
        version = locked_draft(version_id)
        version.status = State.DISCARDED
        version.save(update_fields=["status", "updated_at"])
        tell(version.quote, QuoteEvent.Kind.DISCARDED, on=on, by=by, version=version)
        return version.quote


def tell(
    quote: Quote,
    kind: str,
    *,
    on: date,
    by: User | None = None,
    version: QuoteVersion | None = None,
    **data: Any,
) -> QuoteEvent:
    """Written down in the transaction of what happened."""
    return QuoteEvent.objects.create(
        quote=quote, version=version, kind=kind, on=on, by=by, data=data
    )
