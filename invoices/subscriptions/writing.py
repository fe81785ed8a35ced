"""A subscription while it is written, and changed while it runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from itertools import islice
from typing import Any, Final

from django.db import transaction
from django.utils.translation import gettext as _

from billing_portal import dates
from billing_portal.accounts.models import User
from billing_portal.changes import write_down
from billing_portal.money import is_currency
from invoices.clients.recipients import address_problem
from invoices.documents.totals import TotalsRefused, compute
from invoices.invoicing.draft_lines import DraftLine
from invoices.invoicing.drafting import EARLIEST
from invoices.invoicing.line_input import lines_in
from invoices.invoicing.supplying import supplied_problems
from invoices.models import Subscription, SubscriptionEvent, SubscriptionVersion
from invoices.models.supplied import SUPPLIED
from invoices.models.terms import TermsKind
from invoices.subscriptions.lines import adjustments_of, line_of, replace_lines
from invoices.subscriptions.periods import LATEST, Schedule, schedule_problem
from invoices.subscriptions.standing import SubscriptionRefused, locked, next_number, refresh, tell
from invoices.subscriptions.upcoming import contents_of, schedule_of, with_adjustments

HEAD_FIELDS: Final = (
    *("title", "language", "currency", "terms_kind", "terms_days", "terms_id", "owner_id"),
    *("purchase_order", "note", "recipients", "way", "prorated", "ends_on", "most_periods"),
    *SUPPLIED,
)
# Of what was billed by one calendar no other one can be made: it ends, and another begins.
CALENDAR_FIELDS: Final = ("unit", "every", "starts_on", "whole_from", "month_day", "in_arrears")
# New prices may hold from one of so many periods.
CHOICES_OF_FROM: Final = 24


def save_subscription(
    *,
    subscription_id: int,
    header: Mapping[str, Any],
    lines: Sequence[Mapping[str, Any]],
    by: User | None,
    on: date,
    from_number: int | None = None,
    seen: datetime | None = None,
) -> dict[str, str]:
    """Replace its words, its calendar and its lines; problems by field, with one nothing is saved.

    The lines hold from the period `from_number` on (None: the next one), and versions planned for
    later give way to them. Keys of the answer as those of `invoicing.drafting.save_draft`. Raises
    SubscriptionRefused, also when somebody changed it since `seen`.
    """
    with transaction.atomic():
        subscription = locked(subscription_id)
        if not subscription.is_open:
            raise SubscriptionRefused(_("It has ended: copy it to go on."))
        if seen is not None and subscription.updated_at != seen:
            raise SubscriptionRefused(
                _(
                    "Somebody changed this subscription meanwhile, or it made an invoice. Nothing "
                    "was overwritten: load it again."
                )
            )
        before = {name: getattr(subscription, name) for name in (*HEAD_FIELDS, *CALENDAR_FIELDS)}
        problems = _header_problems(header, subscription)
        if not problems:
            for name in set(header) - {"adjustments"}:
                setattr(subscription, name, header[name])
            problems |= calendar_problems(subscription)
        kept = header.get("adjustments", adjustments_of(subscription))
        inputs, line_problems = lines_in(lines, subscription.currency)
        problems |= line_problems
        if not problems:
            problems |= _added_up(inputs, kept, subscription.currency)
        first_day = None
        if not problems:
            first_day = _from_day(subscription, from_number)
            if first_day is None:
                problems["lines_from"] = _("Choose from which period on the lines hold.")
        if problems or first_day is None:
            transaction.set_rollback(True)
            return problems
        subscription.save()
        lines_changed = _put_version(subscription, first_day, inputs, kept, by)
        changed = [name for name, value in before.items() if getattr(subscription, name) != value]
        if subscription.status != Subscription.Status.DRAFT and (changed or lines_changed):
            lines_from = first_day.isoformat() if lines_changed else ""
            told = {"fields": changed, "lines_from": lines_from}
            tell(subscription, SubscriptionEvent.Kind.CHANGED, on=on, by=by, **told)
        refresh(subscription, on)
        write_down(subscription, ["subscription"], by)
        return {}


def _added_up(
    lines: Sequence[DraftLine], adjustments: Sequence[Mapping[str, str]], currency: str
) -> dict[str, str]:
    try:
        of_lines = compute([line.amounts for line in lines], currency=currency)
        with_adjustments(adjustments, lines, of_lines)
    except TotalsRefused as refusal:
        return {"lines": str(refusal)}
    return {}


def _from_day(subscription: Subscription, number: int | None) -> date | None:
    """The first day of a period that was not dealt with yet."""
    schedule, first = schedule_of(subscription), next_number(subscription)
    wanted = first if number is None else number
    if not first <= wanted < first + CHOICES_OF_FROM:
        return None
    period = schedule.period(wanted)
    return period.first if period else None


def _put_version(
    subscription: Subscription,
    first_day: date,
    lines: Sequence[DraftLine],
    adjustments: Sequence[Mapping[str, str]],
    by: User | None,
) -> bool:
    """These lines hold from that day on; whether that is anything new."""
    versions = list(subscription.versions.all())
    if next_number(subscription) == 1 and versions:
        # Nothing was made: the first version begins with the calendar, wherever that was moved.
        oldest = versions[0]
        if oldest.first_day != subscription.starts_on:
            subscription.versions.exclude(pk=oldest.pk).filter(
                first_day__lte=subscription.starts_on
            ).delete()
            oldest.first_day = subscription.starts_on
            oldest.save(update_fields=["first_day"])
        versions = list(subscription.versions.all())
    later = [version for version in versions if version.first_day > first_day]
    subscription.versions.filter(pk__in=[version.pk for version in later]).delete()
    holding = [version for version in versions if version.first_day <= first_day]
    if (
        holding
        and [line_of(row) for row in holding[-1].lines.all()] == list(lines)
        and holding[-1].adjustments == list(adjustments)
    ):
        return bool(later)
    if holding and holding[-1].first_day == first_day:
        version = holding[-1]
        version.adjustments = list(adjustments)
        version.save(update_fields=["adjustments"])
    else:
        version = SubscriptionVersion.objects.create(
            subscription=subscription,
            first_day=first_day,
            adjustments=list(adjustments),
            created_by=by,
        )
    replace_lines(version, lines)
    return True


def calendar_problems(subscription: Subscription) -> dict[str, str]:
    """What is wrong with the calendar that its row has, perhaps only in memory; by field."""
    schedule = schedule_of(subscription)
    code = schedule_problem(schedule) or _beyond(schedule)
    words = {
        "every": ("every", _("At least every period: 1.")),
        "whole_before_start": (
            "whole_from",
            _("Whole periods begin on the first day or later."),
        ),
        "month_day": (
            "month_end",
            _("Only a calendar that begins on the last day of a month goes by last days."),
        ),
        "part_too_long": (
            "whole_from",
            _("More than one period would lie before this day: the first part is at most one."),
        ),
        "ends_before_start": ("ends_on", _("It ends before it begins.")),
        "beyond": ("starts_on", _("This day is out of range.")),
    }
    return dict([words[code]]) if code else {}


def _beyond(schedule: Schedule) -> str:
    if not EARLIEST <= schedule.starts_on <= LATEST or schedule.whole_from > LATEST:
        return "beyond"
    return "" if schedule.period(1) is not None else "beyond"


def _header_problems(header: Mapping[str, Any], subscription: Subscription) -> dict[str, str]:
    problems: dict[str, str] = {}
    if unknown := set(header) - {*HEAD_FIELDS, *CALENDAR_FIELDS, "adjustments"}:
        raise ValueError(f"save_subscription knows no {', '.join(sorted(unknown))}")
    problems |= supplied_problems(header, subscription)
    if header.get("language", "fr") not in ("fr", "en"):
        problems["language"] = _("Documents are in French or in English.")
    if not is_currency(str(header.get("currency", subscription.currency))):
        problems["currency"] = _("Choose a currency.")
    if header.get("terms_kind", TermsKind.NET) not in TermsKind.values:
        problems["terms_kind"] = _("Choose payment terms.")
    if not 0 <= int(header.get("terms_days", 0)) <= 365:
        problems["terms_days"] = _("Between 0 and 365 days.")
    for field, limit in (("title", 255), ("purchase_order", 120), ("note", 2000)):
        if len(str(header.get(field, ""))) > limit:
            problems[field] = _("At most %(limit)s characters.") % {"limit": limit}
    if header.get("unit", "month") not in Subscription.Unit.values:
        problems["unit"] = _("Choose weeks, months or years.")
    if not 1 <= int(header.get("every", 1)) <= 120:
        problems["every"] = _("Between 1 and 120.")
    if header.get("way", "draft") not in Subscription.Way.values:
        problems["way"] = _("Choose what happens on the day.")
    if "recipients" in header and (wrong := address_problem(header["recipients"])):
        problems["recipients"] = wrong
    return problems | _end_problems(header, subscription) | _made_problems(header, subscription)


def _end_problems(header: Mapping[str, Any], subscription: Subscription) -> dict[str, str]:
    last = subscription.periods.order_by("-number").first()
    ends_on, most = header.get("ends_on"), header.get("most_periods")
    if ends_on is not None and most is not None:
        return {"most_periods": _("It ends on a day or after so many periods, not both.")}
    if most is not None and not 1 <= int(most) <= 1200:
        return {"most_periods": _("Between 1 and 1,200 periods.")}
    if last is None:
        return {}
    if ends_on is not None and ends_on < last.last_day:
        text = _("It is billed until %(day)s already.") % {"day": dates.day(last.last_day)}
        return {"ends_on": text}
    if most is not None and most < last.number:
        text = _("%(n)s periods were dealt with already.") % {"n": last.number}
        return {"most_periods": text}
    return {}


def _made_problems(header: Mapping[str, Any], subscription: Subscription) -> dict[str, str]:
    """Once a period was made its calendar and its currency stay."""
    if not subscription.periods.exists():
        return {}
    text = _("Periods were billed by this already: end the subscription and copy it instead.")
    return {
        name: text
        for name in (*CALENDAR_FIELDS, "currency")
        if name in header and header[name] != getattr(subscription, name)
    }


def choices_of_from(subscription: Subscription) -> list[tuple[int, date]]:
    """The periods from which new lines may hold: numbers and first days."""
    schedule = contents_of(subscription).schedule
    coming = schedule.periods(next_number(subscription))
    return [(period.number, period.first) for period in islice(coming, CHOICES_OF_FROM)]
