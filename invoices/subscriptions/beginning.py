"""A subscription is begun: empty for a client, or with the lines of a document, quote or deal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from billing_portal.accounts.models import User
from billing_portal.money import is_currency
from invoices.clients.recipients import client_recipients
from invoices.invoicing.draft_lines import DraftLine
from invoices.models import (
    Client,
    Invoice,
    QuoteAcceptance,
    Subscription,
    SubscriptionEvent,
    SubscriptionVersion,
)
from invoices.models.terms import end_of_month, months_later
from invoices.subscriptions.lines import line_of, replace_lines
from invoices.subscriptions.periods import is_last_of_month
from invoices.subscriptions.standing import SubscriptionRefused, refresh, tell
from invoices.subscriptions.upcoming import contents_of

_DAY = timedelta(days=1)
_HEAD = ("title", "language", "currency", "terms_kind", "terms_days", "terms_id")


def new_subscription(*, client_id: int, by: User | None, on: date) -> Subscription:
    """An empty one that begins next month, in the client's language, currency and terms.

    Raises SubscriptionRefused.
    """
    with transaction.atomic():
        client = Client.objects.filter(pk=client_id).first()
        if client is None:
            raise SubscriptionRefused(_("This client is no longer here."))
        return begun(client, by=by, on=on)


def from_invoice(*, invoice_id: int, by: User | None, on: date) -> Subscription:
    """It repeats an invoice or a draft: the same client, words and lines, from where its period
    ends. Raises SubscriptionRefused."""
    with transaction.atomic():
        source = Invoice.objects.filter(pk=invoice_id).select_related("client__merged_into").first()
        if source is None:
            raise SubscriptionRefused(_("This invoice is no longer here."))
        # What a discount on the whole or a deposit made of them is no line of its own.
        lines = [line_of(line) for line in source.typed_lines]
        if source.is_credit_note or not lines:
            raise SubscriptionRefused(_("Only an invoice with lines of its own can be repeated."))
        return begun(
            source.client.merged_into or source.client,
            by=by,
            on=on,
            lines=lines,
            adjustments=source.adjustments,
            repeats=source,
            owner_id=source.owner_id,
            purchase_order=source.purchase_order,
            note=source.note,
            **source.supplied,
            recipients=list(source.recipients),
            **{name: getattr(source, name) for name in _HEAD},
            **_after(source),
        )


def _after(source: Invoice) -> dict[str, Any]:
    """Where the period of an invoice says how long it is, the next one is as long."""
    start, end = source.service_from, source.service_until
    if start is None or end is None or end < start:
        return {}
    begins = end + _DAY
    for months in range(1, 37):
        if months_later(start, months) == begins or (
            is_last_of_month(end)
            and start.day == 1
            and end_of_month(months_later(start, months - 1)) == end
        ):
            unit, every = ("year", months // 12) if months % 12 == 0 else ("month", months)
            return {"starts_on": begins, "unit": unit, "every": every}
    weeks, left = divmod((begins - start).days, 7)
    if not left and weeks:
        return {"starts_on": begins, "unit": "week", "every": min(weeks, 120)}
    return {"starts_on": begins}


def from_quote(*, quote_id: int, by: User | None, on: date) -> Subscription:
    """What the client accepted, again and again. Raises SubscriptionRefused."""
    with transaction.atomic():
        accepted = (
            QuoteAcceptance.objects.select_related("quote__client__merged_into", "version")
            .filter(quote=quote_id)
            .first()
        )
        if accepted is None:
            raise SubscriptionRefused(_("Only a quote that was accepted is billed."))
        version, quote = accepted.version, accepted.quote
        lines = [line_of(line) for line in accepted.lines.order_by("position", "pk")]
        return begun(
            quote.client.merged_into or quote.client,
            by=by,
            on=on,
            lines=lines,
            adjustments=version.adjustments,
            quote=quote,
            owner_id=quote.owner_id,
            title=version.title,
            language=version.language,
            currency=version.currency,
            terms_kind=version.terms_kind,
            terms_days=version.terms_days,
            **version.supplied,
        )


def copy(*, subscription_id: int, by: User | None, on: date) -> Subscription:
    """A new one with the lines of today that goes on where this one ends.

    Raises SubscriptionRefused.
    """
    with transaction.atomic():
        source = (
            Subscription.objects.filter(pk=subscription_id)
            .select_related("client__merged_into")
            .first()
        )
        if source is None:
            raise SubscriptionRefused(_("This subscription is no longer here."))
        contents = contents_of(source)
        last = source.periods.order_by("-number").first()
        begins = last.last_day + _DAY if last else source.starts_on
        return begun(
            source.client.merged_into or source.client,
            by=by,
            on=on,
            # At the prices that they have risen to.
            lines=contents.whole_lines(begins, noted=False),
            adjustments=contents.version(begins).adjustments,
            **{name: getattr(source, name) for name in _HEAD},
            **{
                name: getattr(source, name)
                for name in ("unit", "every", "in_arrears", "prorated", "owner_id", "way")
            },
            recipients=list(source.recipients),
            purchase_order=source.purchase_order,
            note=source.note,
            **source.supplied,
            starts_on=begins,
        )


def begun(
    client: Client,
    *,
    by: User | None,
    on: date,
    lines: Sequence[DraftLine] = (),
    adjustments: Sequence[Mapping[str, str]] = (),
    **values: Any,
) -> Subscription:
    """The row, its first version and the event; in the caller's transaction."""
    next_month = end_of_month(on) + _DAY
    usual = {
        "currency": client.currency,
        "language": "fr" if client.language.startswith("fr") else "en",
        "terms_kind": client.terms_kind,
        "terms_days": client.terms_days,
        "terms_id": client.terms_id,
        "recipients": client_recipients(client),
        "owner_id": client.owner_id,
        "starts_on": next_month,
    }
    values = {**usual, **values}
    if not is_currency(values["currency"]):
        raise SubscriptionRefused(
            _("“%(code)s” is not a currency that we know.") % {"code": values["currency"][:10]}
        )
    values.setdefault("whole_from", values["starts_on"])
    values.setdefault("month_day", values["whole_from"].day)
    subscription = Subscription.objects.create(client=client, created_by=by, **values)
    version = SubscriptionVersion.objects.create(
        subscription=subscription,
        first_day=subscription.starts_on,
        adjustments=list(adjustments),
        created_by=by,
    )
    replace_lines(version, lines)
    told = {
        f"{name}_id": values[name].pk
        for name in ("repeats", "quote", "deal")
        if values.get(name) is not None
    }
    tell(subscription, SubscriptionEvent.Kind.BEGUN, on=on, by=by, **told)
    refresh(subscription, on)
    return subscription
