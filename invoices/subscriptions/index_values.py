"""Values of indexes are entered, by hand or by a file, and subscriptions begin to follow one."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from django.db import IntegrityError, transaction
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from billing_portal.accounts.models import User
from billing_portal.typed.files import read_number
from billing_portal.typed.texts import Unreadable
from invoices.models import Indexation, IndexValue, Subscription, SubscriptionEvent
from invoices.models.price_indexes import Index
from invoices.subscriptions.indexing import period_in_words, read_period
from invoices.subscriptions.standing import SubscriptionRefused, locked, refresh, tell

MOST_ROWS = 2_000


class ValueRefused(Exception):
    """Nothing was kept; the message is written for staff."""


def name_of(index: str, period: str) -> str:
    """“ILC Q3 2026”, for the reader."""
    return f"{index.upper()} {period_in_words(period, get_language() or 'en')}"


def enter_value(
    *, index: str, period: str, value: Decimal, source: str, by: User | None, on: date
) -> IndexValue:
    """Entered again with the same value it stays as it is; with another it is refused."""
    if index not in Index.values:
        raise ValueRefused(_("“%(text)s” is none of the indexes here.") % {"text": index[:20]})
    try:
        period = read_period(index, period)
    except ValueError:
        raise ValueRefused(_no_period(index, period)) from None
    if not 0 < value < 100_000_000:
        raise ValueRefused(_("An index is a number above zero."))
    if not source.strip():
        raise ValueRefused(_("Say where the value was published."))
    try:
        with transaction.atomic():
            row = IndexValue.objects.create(
                index=index,
                period=period,
                value=value,
                source=source.strip()[:200],
                entered_by=by,
            )
    except IntegrityError:
        row = IndexValue.objects.get(index=index, period=period)
        if row.value != value:
            raise ValueRefused(
                _("%(name)s is %(value)s already (%(source)s): remove that value first.")
                % {
                    "name": name_of(index, period),
                    "value": format(row.value.normalize(), "f"),
                    "source": row.source,
                }
            ) from None
        return row
    _follow(index, on)
    return row


def _no_period(index: str, text: str) -> str:
    sample = "2026-08" if index == Index.SYNTEC else "2026-Q3"
    return _("“%(text)s” is no period of this index: write it as %(sample)s.") % {
        "text": text[:20],
        "sample": sample,
    }


def remove_value(*, pk: int, on: date) -> IndexValue:
    """What was billed by it stays; prices to come go by what is left."""
    with transaction.atomic():
        row = IndexValue.objects.select_for_update().filter(pk=pk).first()
        if row is None:
            raise ValueRefused(_("This value is no longer here."))
        row.delete()
        _follow(row.index, on)
        return row


def _follow(index: str, on: date) -> None:
    """Prices to come of the subscriptions that follow it are worked out anew."""
    followers = Subscription.objects.filter(indexation__index=index).order_by("pk")
    for pk in followers.values_list("pk", flat=True):
        with transaction.atomic():
            subscription = locked(pk)
            if subscription.is_open:
                refresh(subscription, on)


@dataclass
class Entered:
    kept: int = 0
    # (line of the file, what is wrong)
    problems: list[tuple[int, str]] = field(default_factory=list)


def enter_file(*, content: bytes, by: User | None, on: date) -> Entered:
    """Rows of index; period; value; source. What is wrong is named by its line, the rest is kept.

    Raises ValueRefused for a file that cannot be read at all.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", errors="replace")
    rows = list(csv.reader(io.StringIO(text), delimiter=_separator(text)))
    if len(rows) > MOST_ROWS:
        raise ValueRefused(_("At most %(most)s rows in one file.") % {"most": MOST_ROWS})
    found = Entered()
    for place, row in enumerate(rows, 1):
        cells = [cell.strip() for cell in row]
        if not any(cells) or (place == 1 and cells[0].lower() in ("index", "indice")):
            continue
        if len(cells) < 4:
            found.problems.append((place, _("Give index, period, value and source.")))
            continue
        try:
            value = read_number(cells[2])
            enter_value(
                index=cells[0].lower(),
                period=cells[1],
                value=value,
                source=cells[3],
                by=by,
                on=on,
            )
        except (ValueRefused, Unreadable) as refusal:
            found.problems.append((place, str(refusal)))
        else:
            found.kept += 1
    return found


def _separator(text: str) -> str:
    first = text.split("\n", 1)[0]
    return ";" if ";" in first else "\t" if "\t" in first else ","


def follow_index(
    *,
    subscription_id: int,
    index: str,
    base_period: str,
    first_review: date,
    missing: str,
    by: User | None,
    on: date,
) -> Indexation:
    """From its first review on; what was made already stays. Raises SubscriptionRefused."""
    try:
        base = read_period(index, base_period)
    except ValueError:
        raise SubscriptionRefused(_no_period(index, base_period)) from None
    with transaction.atomic():
        subscription = locked(subscription_id)
        if not subscription.is_open:
            raise SubscriptionRefused(_("It has ended: its prices follow nothing any more."))
        if first_review <= subscription.starts_on:
            raise SubscriptionRefused(
                _("The prices are those of the start: the first review comes after it.")
            )
        if subscription.periods.filter(first_day__gte=first_review).exists():
            raise SubscriptionRefused(
                _("Invoices from that day on are made already: review later, or correct them.")
            )
        row, _made = Indexation.objects.update_or_create(
            subscription=subscription,
            defaults={
                "index": index,
                "base_period": base,
                "first_review": first_review,
                "missing": missing,
            },
        )
        tell(
            subscription,
            SubscriptionEvent.Kind.INDEXED,
            on=on,
            by=by,
            name=f"{index.upper()} {base}",
            first=first_review.isoformat(),
        )
        refresh(subscription, on)
        return row


def stop_following(*, subscription_id: int, by: User | None, on: date) -> None:
    """Prices to come are the typed ones again, unless somebody types new ones first."""
    with transaction.atomic():
        subscription = locked(subscription_id)
        row = Indexation.objects.filter(subscription=subscription).first()
        if row is None:
            raise SubscriptionRefused(_("Its prices follow no index any more."))
        row.delete()
        tell(
            subscription,
            SubscriptionEvent.Kind.INDEXED,
            on=on,
            by=by,
            name="",
        )
        refresh(subscription, on)
