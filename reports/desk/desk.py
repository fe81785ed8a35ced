"""What needs somebody now: the desk's tiles, its short lists and the counts of the sidebar.

Each figure is counted by the very rows that its link opens; the number of queries does not depend
on how many rows there are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.core.cache import cache
from django.db.models import BigIntegerField, F, QuerySet, Sum
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing_portal.accounts.models import User
from billing_portal.lists.paging import Total, totals_per_currency
from billing_portal.money import formatted_minor
from invoices.deals.queue import Waiting, examine
from invoices.models import Client, Company, Deal, Invoice, Payment
from invoices.selections.filters import BUCKETS_DUE, InvoiceFilter, bucket_condition
from invoices.selections.sql import InCompanyCurrency
from reports.alerts import running
from reports.alerts import words as alert_words
from reports.models import Alert

# So many deals are looked into for what they lack.
EXAMINED = 300
TO_BILL, TO_CHASE, DRAFTS, UNAPPLIED, ALERTS = 6, 7, 5, 5, 5
COUNTS_KEPT_SECONDS = 20


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
class Worklist:
    """A few rows of a selection, its whole count and where the rest is."""

    rows: Sequence[Any]
    count: int
    url: str

    @property
    def more(self) -> int:
        return self.count - len(self.rows)


@dataclass(frozen=True)
class BillingList(Worklist):
    """Deals to bill; `count` is of the ready ones, the others are counted apart."""

    lacking: int = 0
    lacking_amounts: str = ""

    @property
    def more(self) -> int:
        return max(0, self.count - len(self.rows))


@dataclass(frozen=True)
class Part:
    """A piece of the receivables bar, in percent of its width."""

    label: str
    amount: str
    url: str
    fill: int
    x: str
    width: str


@dataclass(frozen=True)
class Bar:
    currency: str
    total: str
    parts: list[Part]
    url: str


# ─ The selections ───────────────────────────────────────────────────────────────────────────────


def to_bill(user: User, company: Company | None) -> QuerySet[Deal]:
    since = company.billing_starts_on if company else None
    return Deal.objects.to_bill(since).visible_to(user)


def drafts(user: User) -> QuerySet[Invoice]:
    return Invoice.objects.drafts().visible_to(user)


def overdue(user: User, on: date) -> QuerySet[Invoice]:
    return Invoice.objects.overdue(on).visible_to(user)


def unapplied() -> QuerySet[Payment]:
    return Payment.objects.unapplied().annotate(
        unapplied_minor=F("amount_minor") - F("allocated_minor")
    )


def _amounts(totals: Sequence[Total], name: str) -> list[str]:
    return [total.text(name) for total in totals if total.sums[name]]


def _counted(totals: Sequence[Total]) -> int:
    return sum(total.count for total in totals)


# ─ The page ─────────────────────────────────────────────────────────────────────────────────────


def desk(user: User, on: date) -> dict[str, Any]:
    """Everything that the desk shows to this person."""
    company = Company.ours()
    own = company.currency if company else "EUR"
    late, unfinished = overdue(user, on), drafts(user)
    bill_tile, bill_list = _billing(to_bill(user, company))
    late_totals = totals_per_currency(late, "outstanding_minor")
    draft_totals = totals_per_currency(unfinished, "total_minor")
    tiles = [
        bill_tile,
        Tile(
            "drafts",
            "circle-dashed",
            _("Drafts to issue"),
            (n := _counted(draft_totals)),
            ngettext("draft", "drafts", n),
            alert_words.invoice_list(InvoiceFilter(state="draft")),
            _amounts(draft_totals, "total_minor"),
        ),
    ]
    found: dict[str, Any] = {
        "to_bill": bill_list,
        "drafts": Worklist(
            list(
                unfinished.select_related("client")
                .defer("paper")
                .order_by("-total_minor", "pk")[:DRAFTS]
            ),
            n,
            tiles[1].url,
        ),
    }
    if user.has_perm("invoices.view_payment"):
        money = unapplied()
        totals = totals_per_currency(money, "unapplied_minor")
        tiles.append(
            Tile(
                "unapplied",
                "cash",
                _("Unapplied cash"),
                (n := _counted(totals)),
                ngettext("payment", "payments", n),
                _with_query("invoices:payments", "unapplied=1"),
                _amounts(totals, "unapplied_minor"),
            )
        )
        found["unapplied"] = Worklist(
            list(money.select_related("client").order_by("-received_on", "-pk")[:UNAPPLIED]),
            n,
            tiles[-1].url,
        )
    tiles.append(
        Tile(
            "overdue",
            "clock-exclamation",
            _("Overdue to chase"),
            (n := _counted(late_totals)),
            ngettext("invoice", "invoices", n),
            alert_words.invoice_list(InvoiceFilter(state="overdue")),
            _amounts(late_totals, "outstanding_minor"),
            late=bool(n),
        )
    )
    found["overdue"] = Worklist(
        [
            (invoice, invoice.days_overdue(on), "part" in invoice.states(on))
            for invoice in late.annotate(
                worth=Coalesce(
                    InCompanyCurrency("outstanding_minor", own),
                    F("outstanding_minor"),
                    output_field=BigIntegerField(),
                )
            )
            .select_related("client")
            .defer("paper")
            .order_by("-worth", "pk")[:TO_CHASE]
        ],
        n,
        tiles[-1].url,
    )
    if running.may_see(user):
        listed = alert_list(on)
        tiles.append(
            Tile(
                "alerts",
                "bell",
                _("Alerts"),
                listed.count,
                _("new"),
                alert_words.link("reports:alerts"),
                text=_alert_kinds(on),
            )
        )
        found["alerts"] = listed
    return {
        **found,
        "tiles": tiles,
        "bars": receivables(user, on),
        "company": company,
        "steps": first_steps(user, company),
        "blank": not Deal.objects.exists() and not Invoice.objects.exists(),
        "on": on,
    }


def _billing(deals: QuerySet[Deal]) -> tuple[Tile, BillingList]:
    """Ready deals with the button that drafts them; what lacks something is a line below.

    Whether a deal is ready is found by adding its lines up, so of a queue of hundreds, which only
    an unset first billing day makes, the desk shows all as it is.
    """
    totals = totals_per_currency(deals, "value_minor")
    number = _counted(totals)
    address = alert_words.link("invoices:deals")
    if number > EXAMINED:
        latest = deals.select_related("client").order_by(F("won_on").desc(nulls_last=True), "-pk")
        rows = [Waiting(deal, ()) for deal in latest[:TO_BILL]]
        shown = BillingList(rows, number, address)
        amounts = _amounts(totals, "value_minor")
    else:
        queue = examine(deals)
        rows = queue.all[:TO_BILL]
        lacking = queue.lacking[max(0, TO_BILL - len(queue.ready)) :]
        number = len(queue.ready)
        amounts = _sums([each.deal for each in queue.ready])
        shown = BillingList(
            rows, number, address, len(lacking), " · ".join(_sums([w.deal for w in lacking]))
        )
        if address:
            address += "?state=ready"
    unit = ngettext("deal", "deals", number)
    return Tile("bill", "briefcase", _("To bill"), number, unit, address, amounts), shown


def _sums(deals: Sequence[Deal]) -> list[str]:
    sums: Counter[str] = Counter()
    for deal in deals:
        sums[deal.currency] += deal.value_minor
    return [formatted_minor(minor, code) for code, minor in sums.most_common() if minor]


def _with_query(name: str, query: str) -> str:
    address = alert_words.link(name)
    return f"{address}?{query}" if address else ""


def alert_list(on: date) -> Worklist:
    """The alerts that wait, newest first, each with its words."""
    waiting = Alert.objects.filter(running.waiting(on))
    rows = [(alert, alert_words.tell(alert)) for alert in running.inbox(waiting)[:ALERTS]]
    return Worklist(rows, waiting.count(), alert_words.link("reports:alerts"))


def _alert_kinds(on: date) -> str:
    """The rules that spoke last: “Big and late · SMEs pay late”."""
    names = dict.fromkeys(
        Alert.objects.filter(running.waiting(on)).values_list("rule__name", flat=True)[:ALERTS]
    )
    return " · ".join(list(names)[:2])


def receivables(user: User, on: date) -> list[Bar]:
    """What is owed per currency, by days past the due date; the largest currency first."""
    buckets = {
        f"b{place}": Sum("outstanding_minor", filter=bucket_condition("due_date", ends, on))
        for place, ends in enumerate(BUCKETS_DUE.values())
    }
    rows: list[Any] = list(
        Invoice.objects.outstanding()
        .visible_to(user)
        .order_by()
        .values("currency")
        .annotate(owed=Sum("outstanding_minor"), **buckets)
    )
    return [
        _bar(row["currency"], row["owed"], [row[name] or 0 for name in buckets])
        for row in sorted(rows, key=lambda row: (-row["owed"], row["currency"]))
    ]


def _bar(currency: str, total: int, amounts: list[int]) -> Bar:
    labels = [_("Not due"), _("1–30 days"), _("31–60"), _("61–90"), _("Over 90")]
    shown = [amount for amount in amounts if amount]
    # A gap of a quarter percent between the pieces, and no piece too thin to be seen.
    room = 100 - 0.25 * (len(shown) - 1)
    least = 0.4
    rest = room - least * len(shown)
    parts, x = [], 0.0
    for place, (key, amount) in enumerate(zip(BUCKETS_DUE, amounts, strict=True)):
        width = least + rest * amount / total if amount else 0.0
        parts.append(
            Part(
                labels[place],
                formatted_minor(amount, currency) if amount else "–",
                alert_words.invoice_list(
                    InvoiceFilter(state="open", currency=currency, bucket=key)
                ),
                place + 1,
                f"{x:.2f}%",
                f"{width:.2f}%" if amount else "",
            )
        )
        x += width + 0.25 if amount else 0
    return Bar(
        currency,
        formatted_minor(total, currency),
        parts,
        alert_words.invoice_list(InvoiceFilter(state="open", currency=currency)),
    )


# ─ First use ────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Step:
    title: str
    text: str
    icon: str
    url: str
    done: bool
    optional: bool = False


def first_steps(user: User, company: Company | None) -> list[Step]:
    """What a new portal still needs before it bills; empty as soon as all of it is done.

    Empty too for those who can do none of it.
    """
    if not (user.has_perm("invoices.bill_deal") or user.has_perm("accounts.change_company")):
        return []
    described = bool(company and company.name and company.address_line1 and company.siren)
    connected = Deal.objects.exists()
    billed = Invoice.objects.issued().filter(imported=False).exists()
    if described and connected and billed:
        return []
    return [
        Step(
            _("Describe your company"),
            _("Name, address, identifiers and bank details: they stand on every invoice."),
            "building",
            _allowed(user, "accounts.change_company", "accounts:settings"),
            described,
        ),
        Step(
            _("Connect Pipedrive"),
            _("Won deals arrive here with their lines, ready to bill."),
            "plug-connected",
            _allowed(user, "integrations.view_connection", "integrations:index"),
            connected,
        ),
        Step(
            _("Bring in your history"),
            _("Clients, open invoices and payments of the old system, from CSV or XLSX."),
            "database-import",
            _allowed(user, "invoices.import_history", "invoices:import_history"),
            Client.objects.exists() and Invoice.objects.filter(imported=True).exists(),
            optional=True,
        ),
        Step(
            _("Bill a deal"),
            _("One click drafts the invoice; nothing leaves before you issue and send it."),
            "file-invoice",
            _allowed(user, "invoices.bill_deal", "invoices:deals"),
            billed,
        ),
    ]


def _allowed(user: User, permission: str, name: str) -> str:
    return alert_words.link(name) if user.has_perm(permission) else ""


# ─ The sidebar ──────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class SideCount:
    key: str
    n: int
    words: str
    needs: bool = False


def counts(user: User, on: date) -> list[SideCount]:
    """How much waits behind each entry of the sidebar; kept for some seconds."""
    scope = "all" if running.may_see(user) else f"user-{user.pk}"
    key = f"desk-counts:{scope}:{user.role}:{on}"
    numbers: dict[str, int] | None = cache.get(key)
    if numbers is None:
        numbers = _numbers(user, on)
        cache.set(key, numbers, COUNTS_KEPT_SECONDS)
    return [
        SideCount("deals", numbers["deals"], _("to bill")),
        SideCount("invoices", numbers["invoices"], _("overdue"), needs=True),
        *(
            [SideCount("payments", numbers["payments"], _("to apply"))]
            if "payments" in numbers
            else []
        ),
        *([SideCount("alerts", numbers["alerts"], _("new"))] if "alerts" in numbers else []),
    ]


def forget_counts(user: User, on: date) -> None:
    """After an act of this person the next counts are fresh."""
    for scope in ("all", f"user-{user.pk}"):
        cache.delete(f"desk-counts:{scope}:{user.role}:{on}")


def _numbers(user: User, on: date) -> dict[str, int]:
    company = Company.ours()
    found = {
        "deals": to_bill(user, company).count(),
        "invoices": overdue(user, on).count(),
    }
    if user.has_perm("invoices.view_payment"):
        found["payments"] = unapplied().count()
    if running.may_see(user):
        found["alerts"] = Alert.objects.filter(running.waiting(on)).count()
    return found
