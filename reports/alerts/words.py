"""What an alert says, in the reader's language, and where its rows are: told when it is shown."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing_portal import dates
from billing_portal.money import formatted_minor
from invoices.selections.filters import InvoiceFilter
from reports.models import Alert, AlertRule


@dataclass(frozen=True)
class Words:
    """`title` is the finding, `detail` the figures behind it, `url` the rows that they count."""

    title: str
    detail: str
    url: str
    icon: str
    # What became of it since, when that is known.
    note: str = ""


_ICONS = {
    AlertRule.Kind.OVERDUE: "clock-exclamation",
    AlertRule.Kind.TYPE_DELAY: "chart-histogram",
    AlertRule.Kind.HABIT: "building",
    AlertRule.Kind.NOT_INVOICED: "briefcase",
}


def tell(alert: Alert) -> Words:
    """The alert must come with its subject rows (alerts.inbox, alerts.with_subjects)."""
    kind = AlertRule.Kind(alert.rule.kind)
    title, detail, url, note = {
        AlertRule.Kind.OVERDUE: _overdue,
        AlertRule.Kind.TYPE_DELAY: _type_delay,
        AlertRule.Kind.HABIT: _habit,
        AlertRule.Kind.NOT_INVOICED: _not_invoiced,
    }[kind](alert)
    return Words(title, detail, url, _ICONS[kind], note)


def _days(number: int) -> str:
    return ngettext("%(n)s day", "%(n)s days", number) % {"n": number}


def _amounts(owed: list[dict[str, Any]]) -> str:
    return " · ".join(formatted_minor(each["minor"], each["currency"]) for each in owed)


def _no_rate(data: dict[str, Any]) -> str:
    if not data.get("no_rate"):
        return ""
    return " " + _("No exchange rate is known: compared one for one.")


def link(name: str, *args: Any) -> str:
    """The address of a page, or "" in a build without it."""
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return ""


def invoice_list(wanted: InvoiceFilter) -> str:
    address = link("invoices:list")
    return f"{address}?{wanted.query()}" if address else ""


def _overdue(alert: Alert) -> tuple[str, str, str, str]:
    data, invoice = alert.data, alert.invoice
    assert invoice is not None
    title = _("%(client)s owes %(amount)s, %(days)s late") % {
        "client": invoice.client.name,
        "amount": formatted_minor(data["owed_minor"], data["currency"]),
        "days": _days(data["days"]),
    }
    detail = _("%(number)s was due on %(due)s.") % {
        "number": invoice.number,
        "due": dates.day(invoice.due_date),
    }
    note = ""
    if invoice.settled_on:
        note = _("Settled since, on %(day)s") % {"day": dates.day(invoice.settled_on)}
    return title, detail + _no_rate(data), link("invoices:detail", invoice.pk), note


def _type_delay(alert: Alert) -> tuple[str, str, str, str]:
    data, client_type = alert.data, alert.client_type
    assert client_type is not None
    days, beyond = _value(data)
    words = {
        "type": client_type.name,
        "days": days,
        "threshold": _days(data["threshold"]),
        "paid": data["paid"],
        "n": data["paid"] + data["open"],
        "since": dates.day(date.fromisoformat(data["from"])),
    }
    title = {
        (AlertRule.Measure.P50, False): _("%(type)s: half of the invoices are paid %(days)s late"),
        (AlertRule.Measure.P50, True): _(
            "%(type)s: after %(days)s, not even half of the invoices are paid"
        ),
        (AlertRule.Measure.P75, False): _(
            "%(type)s: three invoices in four are paid %(days)s late or sooner"
        ),
        (AlertRule.Measure.P75, True): _(
            "%(type)s: after %(days)s, not even three invoices in four are paid"
        ),
        (AlertRule.Measure.MEAN, False): _("%(type)s: invoices are paid %(days)s late on average"),
    }[(AlertRule.Measure(data["measure"]), beyond)] % words
    detail = (
        _(
            "The threshold is %(threshold)s. Of %(n)s invoices issued since %(since)s, "
            "%(paid)s are paid."
        )
        % words
    )
    wanted = InvoiceFilter(
        state="issued",
        type=(client_type.pk,),
        issued_from=date.fromisoformat(data["from"]),
        as_of=date.fromisoformat(data["on"]),
    )
    return title, detail, invoice_list(wanted), ""


def _value(data: dict[str, Any]) -> tuple[str, bool]:
    """The measured days as words, and whether they are only a lower bound."""
    if data["value"] is None:
        return _days(data["longest"]), True
    value = Decimal(data["value"])
    if value == int(value):
        return _days(int(value)), False
    from billing_portal.figures import decimal

    return _("%(n)s days") % {"n": decimal(value)}, False


def _habit(alert: Alert) -> tuple[str, str, str, str]:
    data, client = alert.data, alert.client
    assert client is not None
    words = {
        "client": client.name,
        "days": _days(data["days"]),
        "habit": _days(data["habit"]),
        "owed": _amounts(data["owed"]),
        "n": data["invoices"],
    }
    title = _("%(client)s is %(days)s late, later than its habit") % words
    usual = {
        AlertRule.Measure.P50: _("It pays half of its invoices within %(habit)s of the due date."),
        AlertRule.Measure.P75: _("It pays three in four within %(habit)s of the due date."),
        AlertRule.Measure.MEAN: _("It pays %(habit)s late on average."),
    }[AlertRule.Measure(data["measure"])] % words
    more = (
        ngettext(
            "%(n)s invoice waits longer than that: %(owed)s.",
            "%(n)s invoices wait longer than that: %(owed)s.",
            data["invoices"],
        )
        % words
    )
    wanted = InvoiceFilter(
        state="overdue", client=client.pk, late_min=data["least_days"], as_of=alert.fired_on
    )
    return title, f"{usual} {more}", invoice_list(wanted), ""


def _not_invoiced(alert: Alert) -> tuple[str, str, str, str]:
    data, deal = alert.data, alert.deal
    assert deal is not None
    title = _("%(deal)s was won %(days)s ago and is not invoiced") % {
        "deal": deal.title,
        "days": _days(data["days"]),
    }
    amount = formatted_minor(data["value_minor"], data["currency"])
    won = dates.day(alert.fired_on - timedelta(days=data["days"]))
    if deal.client is None:
        detail = _("%(amount)s, won on %(won)s, no client.") % {"amount": amount, "won": won}
    else:
        detail = _("%(client)s, %(amount)s, won on %(won)s.") % {
            "client": deal.client.name,
            "amount": amount,
            "won": won,
        }
    return title, detail + _no_rate(data), link("invoices:deal", deal.pk), ""


# ─ The rule itself, as a sentence ───────────────────────────────────────────────────────────────


def told_rule(rule: AlertRule, currency: str) -> str:
    """What the rule watches and when it speaks, in one sentence."""
    words: dict[str, Any] = {
        "days": _days(rule.days),
        "window": _days(rule.window_days),
        "amount": formatted_minor(rule.amount_minor, currency),
        "type": rule.client_type.name if rule.client_type else _("Each client type"),
        "measure": rule.get_measure_display(),
    }
    if rule.kind == AlertRule.Kind.OVERDUE:
        if rule.amount_minor:
            return _("An invoice over %(amount)s is overdue by more than %(days)s.") % words
        return _("An invoice is overdue by more than %(days)s.") % words
    if rule.kind == AlertRule.Kind.NOT_INVOICED:
        if rule.amount_minor:
            return _("A deal over %(amount)s is not invoiced within %(days)s.") % words
        return _("A won deal is not invoiced within %(days)s.") % words
    if rule.kind == AlertRule.Kind.HABIT:
        return _("A client pays more than %(days)s later than its own habit.") % words
    return {
        AlertRule.Measure.P50: _(
            "%(type)s: half of the invoices of the last %(window)s are paid more than %(days)s "
            "late."
        ),
        AlertRule.Measure.P75: _(
            "%(type)s: one in four invoices of the last %(window)s is paid more than %(days)s late."
        ),
        AlertRule.Measure.MEAN: _(
            "%(type)s: invoices of the last %(window)s are paid more than %(days)s late on average."
        ),
    }[AlertRule.Measure(rule.measure)] % words
