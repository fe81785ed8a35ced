"""Deals and their lines: first as drafts, then numbered in the order in which they were added."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final

from integrations.sandbox.pipedrive import data
from integrations.sandbox.pipedrive.customers import DAYS, Customers
from integrations.sandbox.pipedrive.shapes import (
    Json,
    deal_discount,
    deal_value,
    empty_deal,
    empty_line,
    line_sum,
    number,
    stamp,
)

QUEUE_DAYS: Final = 20
"""Deals won within so many days are those that wait to be billed: see `history`."""

_SIZE: Final = {
    "Large account": 2.6,
    "SME": 1.0,
    "Start-up": 0.9,
    "Public sector": 1.9,
    "Non-profit": 0.55,
    "International": 1.8,
}


@dataclass
class Draft:
    """A deal before it has a number."""

    title: str
    organization_id: int | None
    added: datetime
    closed: datetime | None = None
    status: str = "open"
    currency: str = "EUR"
    lines: list[Json] = field(default_factory=list)
    discounts: list[Json] = field(default_factory=list)
    installments: int = 0
    free_value: Decimal = Decimal(0)
    pipeline: int = 0
    archived: bool = False
    deleted: bool = False
    name: str = ""
    changes: Json = field(default_factory=dict)


class Deals(Customers):
    def __init__(self, today: date, seed: int) -> None:
        super().__init__(today, seed)
        self.drafts: list[Draft] = []

    def draft(self, organization_id: int | None, added: datetime, **fields: Any) -> Draft:
        rng = self.rng
        profile = self.world.profiles.get(organization_id or 0)
        client_type = profile.client_type if profile else "SME"
        english = profile is not None and profile.language == "English"
        pipeline = 1 if rng.random() < 0.26 else 0
        theme = rng.choice(data.THEMES_EN if english else data.THEMES_FR)
        recurring = pipeline == 1 and rng.random() < 0.25
        if recurring:
            theme = data.RUNNING_EN if english else data.RUNNING_FR
        title = (
            f"{theme.title} {added.year}{'' if english or recurring else rng.choice(data.SUFFIXES)}"
        )
        draft = Draft(title=title, organization_id=organization_id, added=added)
        draft.currency = profile.currency if profile else "EUR"
        draft.pipeline = pipeline
        if fields.pop("with_lines", True):
            self._lines(draft, client_type, theme)
        for name, value in fields.items():
            setattr(draft, name, value)
        self.drafts.append(draft)
        return draft

    def _lines(self, draft: Draft, client_type: str, theme: data.Theme) -> None:
        rng = self.rng
        method = rng.choices(("exclusive", "inclusive", "none"), (90, 6, 4))[0]
        if client_type == "International" and method == "inclusive":
            method = "exclusive"
        recurring = theme in (data.RUNNING_FR, data.RUNNING_EN)
        # Work comes first; expenses only ever come with something else.
        main = _products(theme.codes)
        first = rng.choice(main[:2])
        rest = [p for p in (*main, *_products(data.EXPENSES)) if p is not first]
        size = _SIZE[client_type]
        wanted = rng.choices((1, 2, 3, 4, 5), (34, 28, 20, 12, 6))[0]
        others = rng.sample(rest, wanted - 1)
        for product in (first, *sorted(others, key=data.PRODUCTS.index)):
            quantity = self._quantity(product, size)
            price = Decimal(product.price) * Decimal(
                str(rng.choice((0.9, 0.95, 1, 1, 1, 1.05, 1.1)))
            )
            if product.unit == "forfait":
                price *= Decimal(str(round(max(0.5, min(3.0, size * rng.uniform(0.6, 1.4))), 2)))
            line: Json = {
                "product_id": data.PRODUCTS.index(product) + 1,
                "quantity": number(quantity),
                "item_price": number(
                    price.quantize(Decimal("0.01") if price < 100 else Decimal(1))
                ),
                "comments": rng.choice(data.LINE_COMMENTS),
                "tax": number(Decimal(product.tax)),
                "tax_method": method,
            }
            if method == "none" or client_type == "International":
                line["tax"] = 0
            if rng.random() < 0.12:
                line["discount"] = rng.choice((5, 5, 10, 10, 15, 7.5))
            elif rng.random() < 0.03:
                line.update(discount=rng.choice((50, 100, 150)), discount_type="amount")
                if quantity * price < 1_000:
                    line["discount"] = 10
            if rng.random() < 0.04 and product is not first:
                line["is_enabled"] = False
            if recurring and product.frequency != "one-time":
                line["billing_frequency"] = product.frequency
                line["billing_frequency_cycles"] = 12 if product.frequency == "monthly" else 1
                line["billing_start_date"] = str(draft.added.date() + timedelta(days=60))
            draft.lines.append(line)
        if rng.random() < 0.03:
            draft.discounts.append(
                rng.choice(
                    (
                        {"type": "percentage", "amount": 5, "description": "Remise fidélité"},
                        {"type": "percentage", "amount": 10, "description": "Remise commerciale"},
                        {"type": "amount", "amount": 100, "description": "Geste commercial"},
                    )
                )
            )
        elif not recurring and rng.random() < 0.012:
            draft.installments = rng.choice((2, 3))

    def _quantity(self, product: data.Product, size: float) -> Decimal:
        rng = self.rng
        if product.unit == "jour":
            days = Decimal(str(rng.lognormvariate(math.log(5.5 * size), 0.6)))
            if rng.random() < 0.2:
                return max(Decimal("0.25"), (days * 4).to_integral_value() / 4)
            return max(Decimal(1), days.to_integral_value())
        if product.unit == "forfait":
            return Decimal(1)
        if product.unit == "mois":
            return Decimal(1)
        return Decimal(rng.randrange(2, max(3, int(14 * size))))

    def regular_deals(self, organizations: list[int], count: int) -> None:
        rng = self.rng
        weights = [self.weights[organization_id] for organization_id in organizations]
        days = [self.today - timedelta(days=back) for back in range(DAYS, 1, -1)]
        season = [
            0.0
            if day.weekday() > 4
            else (0.75 + place / DAYS * 0.5) * {8: 0.35, 12: 0.75, 5: 0.85}.get(day.month, 1.0)
            for place, day in enumerate(days)
        ]
        last_close = self.today - timedelta(days=QUEUE_DAYS + 2)
        for day in sorted(rng.choices(days, season, k=count)):
            organization_id = rng.choices(organizations, weights)[0]
            draft = self.draft(organization_id, self.at(day))
            length = int(min(160, rng.lognormvariate(math.log(30), 0.7)))
            closes = day + timedelta(days=length)
            while closes.weekday() > 4:
                closes += timedelta(days=1)
            if closes > last_close:
                if rng.random() < 0.15:
                    self.without_lines(draft)
                continue
            draft.closed = self.at(max(closes, day)) + timedelta(hours=1 if closes == day else 0)
            draft.closed = max(draft.closed, draft.added + timedelta(minutes=30))
            draft.status = "won" if rng.random() < 0.70 else "lost"
            if draft.status == "lost" and rng.random() < 0.3:
                self.without_lines(draft)
            elif draft.status == "won" and closes < self.today - timedelta(days=400):
                draft.archived = rng.random() < 0.06

    def without_lines(self, draft: Draft) -> None:
        draft.lines, draft.discounts, draft.installments = [], [], 0
        draft.free_value = Decimal(self.rng.randrange(2, 60)) * 500

    def won(self, organization_id: int | None, days_back: int, **fields: Any) -> Draft:
        day = self.today - timedelta(days=days_back)
        if day.weekday() > 4:
            day -= timedelta(days=day.weekday() - 4)
        added = self.at(day - timedelta(days=self.rng.randrange(8, 60)))
        return self.draft(organization_id, added, status="won", closed=self.at(day), **fields)

    def number_the_deals(self) -> None:
        next_line = 1
        for deal_id, draft in enumerate(sorted(self.drafts, key=lambda d: d.added), start=1):
            deal = self._deal(deal_id, draft)
            if draft.lines:
                lines = self._numbered_lines(deal, draft, next_line)
                next_line += len(lines)
                self.world.lines[deal_id] = lines
                self._set_recurring(deal, lines)
            if draft.discounts:
                self.world.discounts[deal_id] = [
                    deal_discount(deal, place, deal["add_time"], **discount)
                    for place, discount in enumerate(draft.discounts, start=1)
                ]
            value = deal_value(self.world.lines_of(deal_id), draft.discounts)
            deal["value"] = number(value if draft.lines else draft.free_value)
            if draft.installments and value > 0:
                self.world.installments[deal_id] = self._instalments(deal, draft, value)
            self.world.deals[deal_id] = deal
            if draft.name:
                self.world.awkward[draft.name] = deal_id

    def _deal(self, deal_id: int, draft: Draft) -> Json:
        rng, world = self.rng, self.world
        stages = [s for s in world.stages.values() if s["pipeline_id"] == draft.pipeline + 1]
        stage = stages[-1] if draft.status == "won" else rng.choice(stages[:-1])
        people = self.people.get(draft.organization_id or 0, [])
        owner = self.owners.get(draft.organization_id or 0, world.users[2]["id"])
        if rng.random() < 0.12:
            owner = rng.choice(world.users[1:5])["id"]
        # Who left sells nothing more.
        if owner == world.users[-1]["id"] and draft.added.date() > self.today - timedelta(days=240):
            owner = world.users[1]["id"]
        closed = draft.closed
        yesterday = datetime.combine(self.today, time(), UTC) - timedelta(hours=6)
        touched = closed or draft.added + (yesterday - draft.added) * rng.random()
        deal = empty_deal()
        deal.update(
            id=deal_id,
            title=draft.title,
            creator_user_id=owner,
            owner_id=owner,
            person_id=rng.choice(people) if people else None,
            org_id=draft.organization_id,
            stage_id=stage["id"],
            pipeline_id=stage["pipeline_id"],
            currency=draft.currency,
            add_time=stamp(draft.added),
            update_time=stamp(touched),
            stage_change_time=stamp(touched),
            status=draft.status,
            expected_close_date=str(draft.added.date() + timedelta(days=rng.randrange(20, 90))),
            is_deleted=draft.deleted,
        )
        if closed:
            deal["close_time"] = deal[f"{draft.status}_time"] = stamp(closed)
            deal["local_close_date"] = deal[f"local_{draft.status}_date"] = str(closed.date())
        if draft.status == "lost":
            deal["lost_reason"] = rng.choice(data.LOST_REASONS)
        if draft.archived and closed:
            deal["is_archived"] = True
            deal["archive_time"] = deal["update_time"] = stamp(closed + timedelta(days=180))
        if draft.deleted and draft.name == "deal_deleted":
            deal["update_time"] = stamp(self.at(self.today - timedelta(days=6)))
        deal["custom_fields"] = self._deal_custom_fields(draft, people)
        return deal

    def _deal_custom_fields(self, draft: Draft, people: list[int]) -> Json:
        rng, keys = self.rng, self.world.keys
        profile = self.world.profiles.get(draft.organization_id or 0)
        formal = profile is not None and profile.client_type in ("Large account", "Public sector")
        order = period = None
        if draft.status == "won" and rng.random() < (0.75 if formal else 0.15):
            order = f"BC-{draft.added.year}-{rng.randrange(100, 99_999):05d}"
        if draft.status == "won" and rng.random() < 0.5 and draft.closed:
            begin = draft.closed.date() + timedelta(days=rng.randrange(0, 30))
            period = {
                "value": str(begin),
                "until": str(begin + timedelta(days=rng.choice((30, 60, 90)))),
            }
        return {
            keys["purchase_order"]: order,
            keys["service_period"]: period,
            keys["billing_contact"]: people[-1] if people and rng.random() < 0.4 else None,
        }

    def _numbered_lines(self, deal: Json, draft: Draft, first_id: int) -> list[Json]:
        lines = []
        for place, given in enumerate(draft.lines):
            product = self.world.products[given["product_id"]]
            line = empty_line(deal, product, deal["add_time"])
            line.update(given, id=first_id + place, order_nr=place + 1)
            line["sum"] = number(line_sum(line))
            lines.append(line)
        return lines

    def _set_recurring(self, deal: Json, lines: Iterable[Json]) -> None:
        per_year = {"monthly": 12, "annually": 1, "quarterly": 4, "semi-annually": 2, "weekly": 52}
        yearly = sum(
            (
                line_sum(line) * per_year[line["billing_frequency"]]
                for line in lines
                if line["is_enabled"] and line["billing_frequency"] in per_year
            ),
            Decimal(0),
        )
        deal["arr"] = deal["acv"] = number(yearly)
        deal["mrr"] = number((yearly / 12).quantize(Decimal("0.01")))

    def _instalments(self, deal: Json, draft: Draft, value: Decimal) -> list[Json]:
        parts = draft.installments
        share = (value / parts).quantize(Decimal("0.01"))
        start = (draft.closed or draft.added).date()
        return [
            {
                "id": deal["id"] * 10 + place,
                "amount": number(share if place < parts - 1 else value - share * (parts - 1)),
                "billing_date": str(start + timedelta(days=20 * (place + 1))),
                "description": f"Échéance {place + 1}/{parts}",
                "deal_id": deal["id"],
            }
            for place in range(parts)
        ]


def _products(codes: str) -> list[data.Product]:
    by_code = {product.code: product for product in data.PRODUCTS}
    return [by_code[code] for code in codes.split()]
