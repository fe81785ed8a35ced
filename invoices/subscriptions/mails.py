"""The mail that says that invoices of subscriptions wait for a person: one for all of a run."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from django.conf import settings
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing_portal import dates
from billing_portal.money import formatted_minor
from invoices.models import Company, Invoice, Message, SubscriptionPeriod
from invoices.outbox.kinds import Kind, Moot, Render, Words
from invoices.outbox.queueing import MailRefused, queue

WAITS = "subscription_waits"
MOST_NAMED = 20


def tell_what_waits(on: date) -> None:
    """To the company's address, once for what waits; a period that comes later the same day is told
    in another one, unless the first has not left: it is worded then, by what waits then."""
    newest = (
        SubscriptionPeriod.objects.waiting().order_by("-pk").values_list("pk", flat=True).first()
    )
    if newest is None or Message.objects.filter(kind=WAITS, state=Message.State.QUEUED).exists():
        return
    company = Company.ours()
    if company is None or not company.email:
        return
    try:
        queue(
            reason_key=f"subscriptions-wait:{on.isoformat()}:{newest}",
            kind=WAITS,
            to=[company.email],
            language=company.language,
        )
    except MailRefused:
        # An address that is none must not stop what else is due: the desk says it too.
        return


def waiting() -> QuerySet[SubscriptionPeriod]:
    return (
        SubscriptionPeriod.objects.waiting()
        .select_related("subscription__client")
        .order_by("due_on", "pk")
    )


class WaitsMail(Kind):
    def __init__(self, render: Render) -> None:
        self._render = render

    def words(self, message: Message) -> Words:
        rows = list(waiting()[: MOST_NAMED + 1])
        if not rows:
            raise Moot("nothing_waits")
        count = len(rows) if len(rows) <= MOST_NAMED else waiting().count()
        subject = ngettext(
            "%(n)s recurring invoice waits for you",
            "%(n)s recurring invoices wait for you",
            count,
        ) % {"n": count}
        context = {
            "sentence": subject,
            "rows": [_told(row) for row in rows[:MOST_NAMED]],
            "more": count - MOST_NAMED if count > MOST_NAMED else 0,
            "url": f"{settings.BASE_URL}/subscriptions/?state=waiting",
        }
        text = self._render("invoices/subscriptions/email/waits.txt", context)
        return Words(subject, text.strip() + "\n")

    def reason(self, code: str) -> str:
        if code == "nothing_waits":
            return _("Nothing waited any more when this email was to leave.")
        return ""


def _told(row: SubscriptionPeriod) -> str:
    invoice = Invoice.objects.drafts().filter(subscription_billing__period=row).first()
    total = formatted_minor(invoice.total_minor, invoice.currency) if invoice else ""
    asked = row.state == SubscriptionPeriod.State.ASKED
    parts: Sequence[str] = (
        row.subscription.client.name,
        f"{dates.day(row.first_day)} – {dates.day(row.last_day)}",
        total,
        _("several were due at once") if asked else _("something stands in the way"),
    )
    return " · ".join(part for part in parts if part)
