"""The sections of the desk: each a tile with a figure, and a short list of the rows behind it.

A section is a function of the person and the day that returns None to those whom it does not
concern; desk.py lists them. Its template is partials/desk_<name>.html, where the list goes by the
section's name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from django.db.models import BigIntegerField, F
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from billing_portal.accounts.models import User
from billing_portal.figures import grouped
from billing_portal.lists.totals import Total, totals_per_currency
from billing_portal.money import formatted_minor
from invoices.company.currencies import company_currency
from invoices.deals.queue import Waiting, examine
from invoices.invoicing.deal_basis import told
from invoices.models import Company, Deal
from invoices.outbox.kinds import trouble_of
from invoices.outbox.waiting import WAITING
from invoices.selections.filters import InvoiceFilter
from invoices.selections.sql import InCompanyCurrency
from reports.alerts.listing import latest_waiting
from reports.alerts.permissions import may_see
from reports.cells import Worklist
from reports.desk import selections
from reports.desk.selections import to_bill
from reports.links import invoice_list

# So many deals are looked into for what they lack.
EXAMINED = 300
DEALS, INVOICES, DRAFTS, PAYMENTS, MAILS, CHANGES = 6, 7, 5, 5, 5, 5


@dataclass(frozen=True)
class Tile:
    key: str
    icon: str
    label: str
    count: int
    unit: str
    url: str
    # Amounts per currency, largest first.
    amounts: list[str] = field(default_factory=list)
    text: str = ""
    late: bool = False

    @property
    def first_amount(self) -> str:
        return self.amounts[0] if self.amounts else ""

    @property
    def other_amounts(self) -> str:
        return " · ".join(self.amounts[1:])


@dataclass(frozen=True)
class BillingList(Worklist):
    """Deals to bill; `lacking` of those that are not shown could not be issued as they are."""

    lacking: int = 0
    lacking_amounts: str = ""

    @property
    def more(self) -> int:
        return max(0, self.count - len(self.rows))

    @property
    def rest(self) -> str:
        """How many are not shown, and of these what lacks something; "" when all are."""
        if not self.more:
            return ""
        number, values = grouped(self.more), {"n": self.lacking, "amounts": self.lacking_amounts}
        more = ngettext("%(n_more)s more", "%(n_more)s more", self.more) % {"n_more": number}
        if not self.lacking:
            return more
        if self.lacking < self.more:
            lacking = ngettext(
                "%(n)s of them lacks something (%(amounts)s)",
                "%(n)s of them lack something (%(amounts)s)",
                self.lacking,
            )
            return f"{more}, {lacking % values}"
        return (
            ngettext(
                "%(n)s more lacks something, %(amounts)s",
                "%(n)s more lack something, %(amounts)s",
                self.lacking,
            )
            % values
        )


@dataclass(frozen=True)
class Section:
    # Of the template, and of the list in it.
    name: str
    side: Literal["left", "right"]
    tile: Tile
    listed: Worklist

    @property
    def template(self) -> str:
        return f"reports/desk/partials/desk_{self.name}.html"


def billing(user: User, on: date) -> Section:
    """Ready deals with the button that drafts them; what lacks something is a line below.

    Whether a deal is ready is found by adding its lines up, so of a queue of hundreds, which only
    an unset first billing day makes, the desk shows all as it is.
    """
    company = Company.ours()
    deals = to_bill(user, company)
    totals = totals_per_currency(deals, "value_minor")
    number, label = _counted(totals), _("To bill")
    address = reverse("invoices:deals")
    if number > EXAMINED:
        latest = deals.select_related("client").order_by(F("won_on").desc(nulls_last=True), "-pk")
        rows = [Waiting(deal, ()) for deal in latest[:DEALS]]
        shown = BillingList(rows, number, address)
        amounts = _amounts(totals, "value_minor")
    else:
        queue = examine(deals, company)
        rows = queue.all[:DEALS]
        lacking = queue.lacking[max(0, DEALS - len(queue.ready)) :]
        number, label = len(queue.ready), pgettext("deals", "Ready to bill")
        amounts = _sums([each.deal for each in queue.ready])
        shown = BillingList(
            rows,
            len(queue.all),
            address,
            len(lacking),
            " · ".join(_sums([w.deal for w in lacking])),
        )
        address += "?state=ready"
    unit = ngettext("deal", "deals", number)
    tile = Tile("bill", "briefcase", label, number, unit, address, amounts)
    return Section("to_bill", "left", tile, shown)


def drafts(user: User, on: date) -> Section:
    rows = selections.drafts(user)
    totals = totals_per_currency(rows, "total_minor")
    number = _counted(totals)
    tile = Tile(
        "drafts",
        "circle-dashed",
        _("Drafts to issue"),
        number,
        ngettext("draft", "drafts", number),
        invoice_list(InvoiceFilter(state="draft")),
        _amounts(totals, "total_minor"),
    )
    largest = rows.select_related("client").defer("paper").order_by("-total_minor", "pk")
    return Section("drafts", "right", tile, Worklist(list(largest[:DRAFTS]), number, tile.url))


def quotes(user: User, on: date) -> Section | None:
    """Accepted by clients and not billed whole; there for whoever has any."""
    if not user.has_perm("invoices.view_quote"):
        return None
    rows = selections.quotes_to_bill(user).annotate(
        total_minor=F("acceptance__total_minor"), currency=F("acceptance__currency")
    )
    totals = totals_per_currency(rows, "total_minor")
    if not (number := _counted(totals)):
        return None
    tile = Tile(
        "quotes",
        "writing",
        _("Accepted quotes to bill"),
        number,
        ngettext("quote", "quotes", number),
        f"{reverse('invoices:quotes')}?state=to_bill",
        _amounts(totals, "total_minor"),
    )
    latest = rows.select_related("client", "version").order_by("-acceptance__at", "-pk")
    return Section("quotes", "left", tile, Worklist(list(latest[:DRAFTS]), number, tile.url))


def subscriptions(user: User, on: date) -> Section | None:
    """Recurring invoices that could not issue themselves; nothing while there are none."""
    if not user.has_perm("invoices.view_subscription"):
        return None
    waiting = selections.stuck_periods(user)
    totals = totals_per_currency(
        waiting.annotate(
            total_minor=F("billings__invoice__total_minor"), currency=F("subscription__currency")
        ),
        "total_minor",
    )
    if not (number := _counted(totals)):
        return None
    tile = Tile(
        "subscriptions",
        "repeat",
        _("Recurring invoices that wait"),
        number,
        ngettext("invoice", "invoices", number),
        f"{reverse('invoices:subscriptions')}?state=waiting",
        _amounts(totals, "total_minor"),
        late=True,
    )
    latest = waiting.select_related("subscription__client").order_by("due_on", "pk")[:DRAFTS]
    return Section("subscriptions", "right", tile, Worklist(list(latest), number, tile.url))


def unapplied(user: User, on: date) -> Section | None:
    if not user.has_perm("invoices.view_payment"):
        return None
    money = selections.unapplied()
    totals = totals_per_currency(money, "unapplied_minor")
    number = _counted(totals)
    tile = Tile(
        "unapplied",
        "cash",
        _("Unapplied cash"),
        number,
        ngettext("payment", "payments", number),
        f"{reverse('invoices:payments')}?unapplied=1",
        _amounts(totals, "unapplied_minor"),
    )
    latest = money.select_related("client").order_by("-received_on", "-pk")
    return Section("unapplied", "right", tile, Worklist(list(latest[:PAYMENTS]), number, tile.url))


def overdue(user: User, on: date) -> Section:
    late, columns = selections.overdue(user, on)
    totals = totals_per_currency(late, columns.open)
    number = _counted(totals)
    tile = Tile(
        "overdue",
        "clock-exclamation",
        _("Overdue to chase"),
        number,
        ngettext("invoice", "invoices", number),
        invoice_list(InvoiceFilter(state="overdue")),
        _amounts(totals, columns.open),
        late=bool(number),
    )
    worth = Coalesce(
        InCompanyCurrency(columns.open, company_currency()),
        F(columns.open),
        output_field=BigIntegerField(),
    )
    largest = late.annotate(worth=worth).select_related("client").defer("paper")
    rows = [
        (invoice, invoice.days_overdue(on), "part" in invoice.states(on))
        for invoice in largest.order_by("-worth", "pk")[:INVOICES]
    ]
    return Section("overdue", "left", tile, Worklist(rows, number, tile.url))


def alerts(user: User, on: date) -> Section | None:
    if not may_see(user):
        return None
    listed = latest_waiting(user, on)
    tile = Tile(
        "alerts",
        "bell",
        _("Alerts"),
        listed.count,
        _("new"),
        listed.url,
        text=listed.text,
    )
    return Section("alerts", "right", tile, listed)


def changed(user: User, on: date) -> Section | None:
    """Documents whose deal changed since, until somebody decides; nothing while there are none."""
    if not user.has_perm("invoices.view_invoice"):
        return None
    waiting = selections.changed_deals(user)
    number = waiting.count()
    if not number:
        return None
    tile = Tile(
        "changed",
        "refresh-alert",
        _("Deals that changed"),
        number,
        ngettext("document", "documents", number),
        invoice_list(InvoiceFilter(state="changed")),
        text=_("since it was drafted or issued"),
        late=True,
    )
    latest = waiting.select_related("invoice__client").order_by("-changed_at", "-pk")[:CHANGES]
    rows = [(basis.invoice, told(basis.known, basis.now)) for basis in latest]
    return Section("changed", "right", tile, Worklist(rows, number, tile.url))


def mails(user: User, on: date) -> Section | None:
    """Mails that did not leave, or nobody knows whether; nothing is shown while there are none."""
    if not user.has_perm("invoices.view_mail"):
        return None
    waiting = selections.mails()
    number = waiting.count()
    if not number:
        return None
    url = f"{reverse('invoices:mail')}?state={WAITING}"
    tile = Tile(
        "mails",
        "mail-x",
        _("Emails that need you"),
        number,
        ngettext("email", "emails", number),
        url,
        text=_("not sent, or nobody knows"),
        late=True,
    )
    latest = waiting.select_related("invoice").order_by("-created_at", "-pk")[:MAILS]
    rows = [(message, trouble_of(message)) for message in latest]
    return Section("mails", "right", tile, Worklist(rows, number, url))


def _sums(deals: Sequence[Deal]) -> list[str]:
    sums: Counter[str] = Counter()
    for deal in deals:
        sums[deal.currency] += deal.value_minor
    return [formatted_minor(minor, code) for code, minor in sums.most_common() if minor]


def _amounts(totals: Sequence[Total], name: str) -> list[str]:
    return [total.text(name) for total in totals if total.sums[name]]


def _counted(totals: Sequence[Total]) -> int:
    return sum(total.count for total in totals)
