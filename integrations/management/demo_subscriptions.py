"""The subscriptions of the demo: some in each state, and what they have billed by today."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import islice
from typing import Any, Final

from django.db import transaction

from billing_portal.accounts.models import User
from invoices.models import Client, Subscription
from invoices.subscriptions import beginning, making, running, writing
from invoices.subscriptions.standing import SubscriptionRefused

Unit, Way = Subscription.Unit, Subscription.Way


@dataclass(frozen=True)
class Story:
    """A subscription that began `ago` days before today, and what became of it."""

    title: str
    # (what, price of one, how many, unit)
    lines: tuple[tuple[str, str, str, str], ...]
    ago: int
    unit: Subscription.Unit
    every: int = 1
    way: Subscription.Way = Way.ISSUE
    in_arrears: bool = False
    end: str = ""
    # From the first of next year on, each year.
    rise: str = ""


STORIES: Final = (
    Story(
        "Maintenance du portail clients",
        (("Maintenance corrective", "310", "1", "MON"), ("Hébergement", "89.90", "1", "MON")),
        3,
        Unit.MONTH,
        rise="2.4",
    ),
    Story("Licences par poste", (("Licence, par poste", "24.50", "18", "C62"),), 12, Unit.MONTH),
    Story(
        "Support, contrat annuel",
        (("Support aux heures ouvrées", "4800", "1", "ANN"),),
        -18,
        Unit.YEAR,
        rise="3",
    ),
    Story(
        "Veille réglementaire",
        (("Veille et note de synthèse", "540", "1", "LS"),),
        95,
        Unit.MONTH,
        every=3,
        way=Way.DRAFT,
        in_arrears=True,
    ),
    # The task stood still, or it was entered late: several are due at once, a person decides.
    Story("Infogérance", (("Infogérance, forfait", "1250", "1", "MON"),), 100, Unit.MONTH),
    Story(
        "Location de matériel",
        (("Poste de travail loué", "38", "6", "C62"),),
        -4,
        Unit.MONTH,
        end="paused",
    ),
    Story(
        "Astreinte du week-end",
        (("Astreinte", "420", "1", "MON"),),
        40,
        Unit.MONTH,
        way=Way.DRAFT,
        end="ended",
    ),
    Story(
        "Sauvegarde externalisée",
        (("Sauvegarde", "75", "1", "MON"),),
        -9,
        Unit.MONTH,
        end="draft",
    ),
)


def play(on: date, clerk: User) -> int:
    """Tell every story, and bill what is due today; how many subscriptions there are then."""
    clients = (
        Client.objects.filter(country="FR", merged_into__isnull=True)
        .exclude(address_line1="")
        .order_by("-pk")
    )
    found = iter(clients[:40])
    made = sum(_told(story, islice(found, 3), on, clerk) for story in STORIES)
    making.make_due(on)
    return made


def _told(story: Story, clients: Any, on: date, clerk: User) -> bool:
    """With the first of these clients whose invoice can be made."""
    for client in clients:
        try:
            with transaction.atomic():
                _begun(story, client, on, clerk)
        except SubscriptionRefused:
            continue
        return True
    return False


def _begun(story: Story, client: Client, on: date, clerk: User) -> None:
    row = beginning.new_subscription(client_id=client.pk, by=clerk, on=on)
    starts_on = on - timedelta(days=story.ago)
    header = {
        "title": story.title,
        "starts_on": starts_on,
        "whole_from": starts_on,
        "month_day": starts_on.day,
        "unit": story.unit,
        "every": story.every,
        "in_arrears": story.in_arrears,
        "way": story.way,
        "most_periods": 2 if story.end == "ended" else None,
    }
    problems = writing.save_subscription(
        subscription_id=row.pk,
        header=header,
        lines=[_line(*each) for each in story.lines],
        by=clerk,
        on=on,
    )
    if problems:
        raise SubscriptionRefused(" ".join(problems.values()))
    if story.end == "draft":
        return
    running.start(subscription_id=row.pk, by=clerk, on=on)
    if story.rise:
        running.raise_prices(
            subscription_id=row.pk,
            first_day=max(date(on.year + 1, 1, 1), starts_on + timedelta(days=1)),
            percent=Decimal(story.rise),
            yearly=True,
            by=clerk,
            on=on,
        )
    if story.end == "paused":
        running.pause(
            subscription_id=row.pk, by=clerk, on=on, reason="Le client déménage jusqu’au printemps."
        )


def _line(words: str, price: str, quantity: str, unit: str) -> dict[str, Any]:
    return {
        "description": words,
        "quantity": Decimal(quantity),
        "unit": unit,
        "unit_price": Decimal(price),
        "vat_category": "S",
        "vat_rate": Decimal(20),
        "nature": "services",
    }
