"""From a won deal to a draft invoice, once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from billing_portal.accounts.models import User
from invoices.clients.recipients import recipients_for
from invoices.deals import changes
from invoices.deals.instalments import dues_from
from invoices.deals.lacking import missing_for
from invoices.deals.lines import drafted_for
from invoices.invoicing.drafting import DraftRefused, draft
from invoices.models import Company, Deal, Invoice

MOST_AT_ONCE = 200


def draft_from_deal(*, deal_id: int, by: User | None, on: date) -> Invoice:
    """Draft an invoice with the deal's lines. Raises DraftRefused; a deal is billed once.

    The draft has no dates of its own yet: it is dated on the day it is issued (`dates_of`).
    """
    with transaction.atomic():
        try:
            deal = Deal.objects.select_for_update().get(pk=deal_id)
        except Deal.DoesNotExist:
            raise DraftRefused(_("This deal is no longer here.")) from None
        _refuse_second_bill(deal)
        if deal.set_aside_at is not None:
            raise DraftRefused(_("This deal was set aside: take it back before billing it."))
        company = Company.ours()
        for missing in missing_for([deal], company)[deal.pk]:
            if missing.prevents_draft:
                raise DraftRefused(missing.text)
        client = deal.client
        assert client is not None
        drafted = drafted_for(deal, client, company)
        dues, about_dues = dues_from(deal, drafted)
        try:
            made = draft(
                client=client,
                owner_id=deal.owner_id or client.owner_id,
                deal=deal,
                title=deal.title,
                currency=deal.currency,
                service_from=deal.service_from,
                service_until=deal.service_until,
                purchase_order=deal.purchase_order,
                recipients=recipients_for(deal),
                lines=drafted.lines,
                totals=drafted.totals,
                dues_typed=dues,
                by=by,
                on=on,
                told={
                    "deal": deal.title,
                    "deal_id": deal.pk,
                    "notes": [*drafted.notes, *about_dues],
                },
            )
            changes.begin(made, deal, company)
            return made
        except IntegrityError:
            # The unique constraint is the last guard, where the lock did not reach.
            _refuse_second_bill(deal)
            raise


def _refuse_second_bill(deal: Deal) -> None:
    # Steps of a plan or of a quote bill it too: the whole on top would bill it twice.
    billed = Invoice.objects.billing().filter(deal=deal).first()
    if billed is None:
        return
    text = (
        _("A draft of this deal exists already.")
        if billed.is_draft
        else _("This deal is billed already: %(number)s.") % {"number": billed.number}
    )
    raise DraftRefused(text, existing_id=billed.pk)


@dataclass(frozen=True)
class Drafted:
    """What became of several deals: the drafts, and those left out with the reason."""

    drafts: list[Invoice]
    refused: list[tuple[str, str]]


def draft_several(*, deal_ids: Sequence[int], by: User, on: date) -> Drafted:
    """A draft for each deal; one that is refused leaves the others alone."""
    titles = dict(Deal.objects.filter(pk__in=deal_ids).values_list("pk", "title"))
    drafts, refused = [], []
    wanted = list(dict.fromkeys(deal_ids))
    for deal_id in wanted[:MOST_AT_ONCE]:
        try:
            drafts.append(draft_from_deal(deal_id=deal_id, by=by, on=on))
        except DraftRefused as refusal:
            refused.append((titles.get(deal_id, str(deal_id)), str(refusal)))
    over = _("At most %(limit)s go at once.") % {"limit": MOST_AT_ONCE}
    refused += [(titles.get(deal_id, str(deal_id)), over) for deal_id in wanted[MOST_AT_ONCE:]]
    return Drafted(drafts, refused)
