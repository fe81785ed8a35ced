"""Alerts as their reader sees them, and the newest that wait, for the desk."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from django.db.models import Count
from django.urls import reverse
from django.utils.translation import gettext as _

from billing_portal.accounts.models import User
from billing_portal.figures import grouped
from invoices.company.currencies import company_currency
from invoices.models import Invoice
from reports.alerts.inbox import inbox, waiting
from reports.alerts.kinds.registry import kind_of
from reports.alerts.permissions import openable
from reports.alerts.words import AlertWords, name_of, words_of
from reports.cells import Worklist
from reports.models import Alert, AlertRule

SHOWN = 5


def with_words(alerts: Iterable[Alert], user: User) -> list[tuple[Alert, AlertWords]]:
    """Each with its words; what the reader may not open is no link."""
    rows, currency = list(alerts), company_currency()
    opens = {alert.pk for alert in openable(rows, user)}
    people = _people(rows)
    grown, billed = _grown(rows), _billed(rows)
    found = []
    for alert in rows:
        words = words_of(alert, currency)
        parts = (words.note, billed.get(alert.deal_id, ""), grown.get(alert.pk, ""))
        note = " ".join(part for part in parts if part)
        url = words.url if alert.pk in opens else ""
        words = replace(words, url=url, note=note, told=_told(alert, people))
        found.append((alert, words))
    return found


def _people(alerts: Sequence[Alert]) -> Mapping[int, User]:
    """Those whom the rules of the alerts name."""
    named = {pk for alert in alerts for pk in alert.rule.recipients.get("users", [])}
    return User.objects.filter(is_active=True).in_bulk(named) if named else {}


def _billed(alerts: Sequence[Alert]) -> dict[int | None, str]:
    """Of deals that were not invoiced when their alert fired: what bills them now."""
    deals = {alert.deal_id for alert in alerts if alert.deal_id}
    if not deals:
        return {}
    bills = Invoice.objects.filter(deal__in=deals).exclude(status=Invoice.Status.VOID)
    found: dict[int | None, str] = {}
    for deal, number in bills.order_by("pk").values_list("deal_id", "number"):
        found[deal] = (
            _("Invoiced since: %(number)s.") % {"number": number}
            if number
            else _("Drafted since: the draft waits to be issued.")
        )
    return found


def _told(alert: Alert, people: Mapping[int, User]) -> str:
    """Whose it is: whom its rule tells, and the owner of what it is about."""
    told = alert.rule.recipients
    found = [_("the finance team")] if told.get("roles") else []
    found += [str(people[pk]) for pk in told.get("users", []) if pk in people]
    if told.get("owner") and (owner := _owner(alert)):
        found.append(_("%(name)s as owner") % {"name": owner})
    return ", ".join(found)


def _owner(alert: Alert) -> User | None:
    """Of the invoice or deal; only where it has none, that of its client."""
    subjects = (alert.invoice, alert.deal, alert.client)
    owner = next((each.owner for each in subjects if each is not None and each.owner_id), None)
    # Who cannot sign in any more is told nothing.
    return owner if owner is not None and owner.is_active else None


def _grown(alerts: Sequence[Alert]) -> dict[int, str]:
    """Where the link of an alert opens another number of rows than it fired with."""
    by_kind: dict[str, list[Alert]] = defaultdict(list)
    for alert in alerts:
        by_kind[alert.rule.kind].append(alert)
    found = {}
    for some in by_kind.values():
        for pk, (then, now) in kind_of(some[0].rule).rows_then_and_now(some).items():
            if then != now:
                words = {"then": grouped(then), "now": grouped(now)}
                found[pk] = _("%(then)s invoices when it fired, %(now)s today.") % words
    return found


@dataclass(frozen=True)
class AlertList(Worklist):
    """The newest alerts; `by_rule` of all of them, and `hidden` of those that are not shown: rule,
    number, and the address of its alerts."""

    by_rule: Sequence[tuple[str, int, str]] = ()
    hidden: Sequence[tuple[str, int, str]] = ()

    @property
    def text(self) -> str:
        """The rules that have most to say: “Big and late: 7 · SMEs pay late: 1”."""
        parts = [
            _("%(rule)s: %(n)s") % {"rule": name, "n": grouped(number)}
            for name, number, _url in self.by_rule[:2]
        ]
        return " · ".join(parts) + (" · …" if len(self.by_rule) > len(parts) else "")


def latest_waiting(user: User, on: date) -> AlertList:
    """Newest first, each with its words."""
    alerts = Alert.objects.visible_to(user).filter(waiting(on))
    rows = with_words(inbox(alerts)[:SHOWN], user)
    counted = AlertRule.objects.filter(alerts__in=alerts.order_by().values("pk"))
    rules = {
        rule.pk: rule for rule in counted.annotate(n=Count("alerts")).select_related("client_type")
    }
    numbers = Counter({rule.pk: rule.n for rule in rules.values()})
    hidden = numbers - Counter(alert.rule_id for alert, _words in rows)
    return AlertList(
        rows,
        numbers.total(),
        reverse("reports:alerts"),
        _named(numbers, rules),
        _named(hidden, rules),
    )


def _named(numbers: Counter[int], rules: Mapping[int, AlertRule]) -> list[tuple[str, int, str]]:
    currency, inbox_url = company_currency(), reverse("reports:alerts")
    return [
        (name_of(rules[pk], currency), number, f"{inbox_url}?rule={pk}")
        for pk, number in numbers.most_common()
    ]
