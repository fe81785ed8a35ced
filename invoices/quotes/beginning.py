"""A quote is begun: from a client, a deal or another quote, or as the next version of one."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, Final

from django.db import transaction
from django.utils.translation import gettext as _

from billing_portal.accounts.models import User
from billing_portal.money import is_currency
from invoices.clients.recipients import client_recipients, recipients_for
from invoices.documents.totals import TotalsRefused
from invoices.models import Client, Deal, Quote, QuoteEvent, QuoteLine, QuoteVersion
from invoices.models.quotes import State
from invoices.quotes import offered
from invoices.quotes.drafting import HEADER_FIELDS, add_up, columns_of, locked, tell
from invoices.quotes.refusals import QuoteRefused

VALID_DAYS: Final = 30
_COPIED: Final = (
    *("position", "role", "section", "proposed", "description", "quantity", "unit", "unit_price"),
    *("price_missing", "discount_percent", "discount_amount", "nature", "vat_category"),
    *("vat_rate", "exemption_id", "item_id", "net_minor"),
)


def new_quote(*, client_id: int, by: User | None, on: date) -> Quote:
    """An empty one, in the client's language, currency and terms. Raises QuoteRefused."""
    with transaction.atomic():
        client = Client.objects.filter(pk=client_id).first()
        if client is None:
            raise QuoteRefused(_("This client is no longer here."))
        return _begun(client, by=by, on=on, owner=client.owner)


def quote_from_deal(*, deal_id: int, by: User | None, on: date) -> Quote:
    """With the deal's lines, as a draft invoice would have them. Raises QuoteRefused.

    A deal may have several quotes: two proposals may stand beside each other.
    """
    with transaction.atomic():
        deal = Deal.objects.filter(pk=deal_id).select_related("client", "contact", "owner").first()
        if deal is None:
            raise QuoteRefused(_("This deal is no longer here."))
        if deal.client is None:
            raise QuoteRefused(_("The deal has no organisation: choose its client first."))
        try:
            lines = offered.lines_of(deal)
        except TotalsRefused as refusal:
            raise QuoteRefused(str(refusal)) from None
        quote = _begun(
            deal.client,
            by=by,
            on=on,
            owner=deal.owner or deal.client.owner,
            deal=deal,
            title=deal.title,
            currency=deal.currency,
            recipients=_people_of(deal),
        )
        version = quote.version
        assert version is not None
        QuoteLine.objects.bulk_create(
            QuoteLine(**columns_of(version, position, line))
            for position, line in enumerate(lines, 1)
        )
        add_up(version)
        return quote


def _people_of(deal: Deal) -> list[str]:
    """Who decides, before who pays: the deal's contact."""
    contact = deal.contact
    if contact is not None and contact.email and contact.gone_at is None:
        return [contact.email]
    return recipients_for(deal)


def copy_quote(*, quote_id: int, by: User | None, on: date, client_id: int | None = None) -> Quote:
    """A new quote that says the same, to the same client or another. Raises QuoteRefused.

    The deal does not come along: what was sold there is offered there.
    """
    with transaction.atomic():
        source = Quote.objects.filter(pk=quote_id).select_related("client", "version").first()
        if source is None or source.version is None:
            raise QuoteRefused(_("This quote is no longer here."))
        client = source.client
        if client_id is not None and client_id != source.client_id:
            found = Client.objects.filter(pk=client_id).first()
            if found is None:
                raise QuoteRefused(_("This client is no longer here."))
            client = found
        model = source.version
        same = client.pk == source.client_id
        header: dict[str, Any] = {
            "title": model.title,
            "currency": model.currency,
            "note": model.note,
            "adjustments": model.adjustments,
        }
        header |= {
            "deposit_percent": model.deposit_percent,
            "deposit_minor": model.deposit_minor,
        }
        if same:
            header |= {"recipients": list(model.recipients), "language": model.language}
            header |= {"terms_kind": model.terms_kind, "terms_days": model.terms_days}
            header |= model.supplied
        quote = _begun(
            client,
            by=by,
            on=on,
            owner=source.owner if same else client.owner,
            copied_from=source,
            **header,
        )
        assert quote.version is not None
        _copy_lines(model, quote.version)
        return quote


def new_version(*, quote_id: int, by: User | None, on: date) -> QuoteVersion:
    """A draft of what the quote shall say next; the one that left stays open until this one
    leaves. One that is being written already is that one. Raises QuoteRefused."""
    with transaction.atomic():
        quote = locked(quote_id)
        begun = quote.versions.filter(status=State.DRAFT).first()
        if begun is not None:
            return begun
        current = quote.version
        assert current is not None
        if current.status == State.ACCEPTED:
            raise QuoteRefused(
                _("%(number)s is accepted: what was agreed stays. Copy it for something new.")
                % {"number": quote.number}
            )
        last = quote.versions.order_by("-number").values_list("number", flat=True)[0]
        version = QuoteVersion.objects.create(
            quote=quote,
            number=last + 1,
            valid_until=on + timedelta(days=VALID_DAYS),
            recipients=list(current.recipients),
            **{
                name: getattr(current, name)
                for name in HEADER_FIELDS
                if name not in ("valid_until", "recipients")
            },
        )
        _copy_lines(current, version)
        if quote.first_sent_on is None:
            quote.version = version
            quote.save(update_fields=["version", "updated_at"])
        tell(quote, QuoteEvent.Kind.VERSION, on=on, by=by, version=version)
        return version


def _begun(client: Client, *, by: User | None, on: date, **values: Any) -> Quote:
    of_quote = {name: values.pop(name, None) for name in ("owner", "deal", "copied_from")}
    currency = values.setdefault("currency", client.currency)
    if not is_currency(currency):
        raise QuoteRefused(
            _("“%(code)s” is not a currency that we know.") % {"code": currency[:10]}
        )
    quote = Quote.objects.create(client=client, created_by=by, **of_quote)
    usual = {
        "language": "fr" if client.language.startswith("fr") else "en",
        "terms_kind": client.terms_kind,
        "terms_days": client.terms_days,
        "recipients": client_recipients(client),
        "valid_until": on + timedelta(days=VALID_DAYS),
    }
    quote.version = QuoteVersion.objects.create(quote=quote, **{**usual, **values})
    quote.save(update_fields=["version", "updated_at"])
    source, deal = of_quote["copied_from"], of_quote["deal"]
    told = {"source_id": source.pk, "source": str(source)} if source else {}
    told |= {"deal_id": deal.pk, "deal": deal.title} if deal else {}
    tell(quote, QuoteEvent.Kind.DRAFTED, on=on, by=by, version=quote.version, **told)
    return quote


def _copy_lines(source: QuoteVersion, target: QuoteVersion) -> None:
    QuoteLine.objects.bulk_create(
        QuoteLine(version=target, **{name: getattr(line, name) for name in _COPIED})
        for line in source.lines.all()
    )
    add_up(target)
