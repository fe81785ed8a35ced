"""Builds the world: the same seed, day and number of deals always give the same one."""

import hashlib
import math
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from random import Random
from typing import Any, Final

from . import data
from .definitions import OPTION_IDS, TERM_IDS, field_definitions
from .identifiers import foreign_vat, french_vat, siren
from .shapes import (
    DEAL_CUSTOM_FIELDS,
    Json,
    deal_discount,
    deal_value,
    empty_deal,
    empty_line,
    line_sum,
    number,
    stamp,
)
from .world import Profile, World

DEFAULT_DEALS: Final = 1_500
DEFAULT_SEED: Final = 7
MONTHS: Final = 30
DAYS: Final = 913
QUEUE_DAYS: Final = 20
"""Deals won within so many days are those that wait to be billed: see `history`."""

_ORGANIZATIONS: Final = {
    "Large account": 22,
    "SME": 50,
    "Start-up": 21,
    "Public sector": 19,
    "Non-profit": 12,
    "International": 16,
}
_SIZE: Final = {
    "Large account": 2.6,
    "SME": 1.0,
    "Start-up": 0.9,
    "Public sector": 1.9,
    "Non-profit": 0.55,
    "International": 1.8,
}
_APPETITE: Final = {
    "Large account": 2.0,
    "SME": 0.9,
    "Start-up": 1.0,
    "Public sector": 1.1,
    "Non-profit": 0.9,
    "International": 1.2,
}
_TERMS: Final = {
    "Large account": ("60 days", "45 days end of month", "45 days"),
    "SME": ("30 days", "30 days", "30 days", "30 days end of month", "On receipt"),
    "Start-up": ("30 days", "30 days", "On receipt"),
    "Public sector": ("30 days",),
    "Non-profit": ("30 days", "45 days"),
    "International": ("30 days", "30 days", "60 days"),
}


@dataclass
class _Draft:
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


def build_world(
    *,
    today: date | None = None,
    deals: int = DEFAULT_DEALS,
    seed: int = DEFAULT_SEED,
) -> World:
    """`deals` counts all that are not deleted, archived ones too. `today` is the real day if None.

    Nothing in it happens after the end of the day before `today`.
    """
    return _Builder(today or date.today(), deals, seed).build()


class _Builder:
    def __init__(self, today: date, deals: int, seed: int) -> None:
        self.rng = Random(f"kerlann {seed}")
        self.today, self.count, self.seed = today, deals, seed
        self.world = self._empty_world()
        self.drafts: list[_Draft] = []
        self.names: set[str] = set()
        self.people: dict[int, list[int]] = {}
        self.weights: dict[int, float] = {}
        self.owners: dict[int, int] = {}

    def build(self) -> World:
        organizations = dict(_ORGANIZATIONS)
        for client_type in organizations:
            organizations[client_type] += max(0, self.count - 3_000) // 3_000 * 8
        for client_type, wanted in organizations.items():
            for _ in range(wanted):
                self._organization(client_type)
        regular = list(self.weights)
        self._awkward_organizations()
        self._queue(regular)
        self._awkward_deals(regular)
        self._deleted_deals(regular)
        special = sum(not draft.deleted for draft in self.drafts)
        if self.count < special:
            raise ValueError(f"The odd cases alone are {special} deals: ask for at least as many.")
        self._regular_deals(regular, self.count - special)
        self._number_the_deals()
        return self.world

    # The company

    def _empty_world(self) -> World:
        start = self._at(self.today - timedelta(days=DAYS + 200))
        users = [
            self._user(place, name, login, start) for place, (name, login) in enumerate(data.USERS)
        ]
        pipelines: dict[int, Json] = {}
        stages: dict[int, Json] = {}
        for order, (name, named_stages) in enumerate(data.PIPELINES, start=1):
            pipelines[order] = {
                "id": order,
                "name": name,
                "order_nr": order,
                "is_deleted": False,
                "is_deal_probability_enabled": True,
                "add_time": stamp(start),
                "update_time": stamp(start),
            }
            for stage_order, (stage_name, probability) in enumerate(named_stages, start=1):
                stage_id = len(stages) + 1
                stages[stage_id] = {
                    "id": stage_id,
                    "order_nr": stage_order,
                    "name": stage_name,
                    "is_deleted": False,
                    "deal_probability": probability,
                    "pipeline_id": order,
                    "is_deal_rot_enabled": False,
                    "days_to_rotten": None,
                    "add_time": stamp(start),
                    "update_time": stamp(start),
                }
        keys = {
            name: hashlib.sha256(f"kerlann custom field {name}".encode()).hexdigest()[:40]
            for name in (
                "client_type",
                "vat_id",
                "siren",
                "payment_terms",
                "billing_email",
                "language",
                *DEAL_CUSTOM_FIELDS,
            )
        }
        deal_fields, organization_fields, person_fields = field_definitions(keys, stamp(start))
        return World(
            today=self.today,
            seed=self.seed,
            company={
                "company_id": 21_400_044,
                "company_name": data.COMPANY,
                "company_domain": "kerlann",
                "company_country": "FR",
                "company_industry": "IT Services",
                "language": {"language_code": "fr", "country_code": "FR"},
            },
            users=users,
            currencies=_currencies(),
            pipelines=pipelines,
            stages=stages,
            products={
                number: self._product(number, product, start, users[0]["id"])
                for number, product in enumerate(data.PRODUCTS, start=1)
            },
            deal_fields=deal_fields,
            organization_fields=organization_fields,
            person_fields=person_fields,
            keys=keys,
        )

    def _user(self, place: int, name: str, login: str, start: datetime) -> Json:
        # The last of them has left the company; her deals still name her.
        active = place < len(data.USERS) - 1
        return {
            "id": 21_400_101 + place,
            "name": name,
            "default_currency": "EUR",
            "locale": "fr_FR",
            "lang": 4,
            "email": f"{login}@kerlann.example",
            "phone": f"+33 2 61 91 44 {place + 10}",
            "activated": True,
            "last_login": f"{self.today - timedelta(days=1 if active else 240)} 08:12:45",
            "created": f"{start:%Y-%m-%d %H:%M:%S}",
            "modified": f"{self.today - timedelta(days=1 if active else 239)} 08:12:45",
            "has_created_company": place == 0,
            "access": [
                {
                    "app": app,
                    "admin": place == 0,
                    "permission_set_id": f"214001{place:02d}-4038-4352-abf3-0000000000{level:02d}",
                }
                for level, app in enumerate(("sales", "global"))
            ],
            "active_flag": active,
            "timezone_name": "Europe/Paris",
            "timezone_offset": "+01:00",
            "role_id": 1,
            "icon_url": None,
            "is_you": place == 0,
            "is_deleted": False,
        }

    def _product(self, product_id: int, product: data.Product, start: datetime, owner: int) -> Json:
        return {
            "id": product_id,
            "name": product.name,
            "code": product.code,
            "description": "",
            "unit": product.unit,
            "tax": number(Decimal(product.tax)),
            "category": None,
            "is_linkable": True,
            "is_deleted": False,
            "visible_to": 3,
            "owner_id": owner,
            "add_time": stamp(start),
            "update_time": stamp(start),
            "billing_frequency": product.frequency,
            "billing_frequency_cycles": 12 if product.frequency == "monthly" else None,
            "prices": [
                {
                    "product_id": product_id,
                    "price": number(Decimal(product.price)),
                    "currency": "EUR",
                    "cost": 0,
                    "direct_cost": None,
                    "notes": "",
                }
            ],
            "custom_fields": {},
        }

    # Organisations and persons

    def _organization(self, client_type: str, **given: Any) -> int:
        """`given` overrides name, address, vat_id, terms or the client type's option id."""
        rng, world = self.rng, self.world
        foreign = client_type == "International"
        country = rng.choice(data.COUNTRIES) if foreign else None
        name = given.get("name") or self._name(client_type, country)
        self.names.add(name)
        organization_id = len(world.organizations) + 1
        company_number = "" if country else siren(rng, public=client_type == "Public sector")
        vat_id = foreign_vat(rng, country.code) if country else french_vat(company_number)
        host = _slug(name)[:40] + ".example"
        label = given.get("terms") or rng.choice(_TERMS[client_type])
        _, days, end_of_month = next(term for term in data.PAYMENT_TERMS if term[0] == label)
        language = country.language if country else "French"
        billing_email = f"{rng.choice(('comptabilite', 'facturation', 'compta'))}@{host}"
        if country:
            billing_email = f"accounts@{host}"
        profile = Profile(
            client_type=client_type,
            country=country.code if country else "FR",
            currency=country.currency if country else "EUR",
            language=language,
            terms_days=days,
            end_of_month=end_of_month,
            billing_email=billing_email,
            vat_id=given.get("vat_id", vat_id),
            siren=company_number,
        )
        world.profiles[organization_id] = profile
        address = given["address"] if "address" in given else self._address(country)
        added = self._at(self.today - timedelta(days=rng.randrange(DAYS, DAYS + 150)))
        updated = added + timedelta(days=rng.randrange(0, DAYS - 5))
        owner = rng.choice(world.users[1:])["id"] if rng.random() < 0.93 else world.users[0]["id"]
        self.owners[organization_id] = owner
        world.organizations[organization_id] = {
            "id": organization_id,
            "name": name,
            "owner_id": owner,
            "add_time": stamp(added),
            "update_time": stamp(updated),
            "address": address,
            "is_deleted": False,
            "visible_to": 3,
            "label_ids": [],
            "website": f"https://www.{host}",
            "linkedin": None,
            "industry": None,
            "annual_revenue": None,
            "employee_count": None,
            "custom_fields": {
                world.keys["client_type"]: given.get("option", OPTION_IDS[client_type]),
                world.keys["vat_id"]: profile.vat_id or None,
                world.keys["siren"]: profile.siren or None,
                world.keys["payment_terms"]: TERM_IDS[label],
                world.keys["billing_email"]: billing_email,
                world.keys["language"]: OPTION_IDS[language],
            },
        }
        for _ in range(rng.choice((1, 1, 1, 2, 2))):
            self._person(organization_id, host, updated)
        self.weights[organization_id] = _APPETITE[client_type] * rng.lognormvariate(0, 0.7)
        return organization_id

    def _name(self, client_type: str, country: data.Country | None) -> str:
        rng = self.rng
        first, second, last = data.NAMES[client_type]
        for attempt in range(1_000):
            ending = f" {country.legal_form}" if country else rng.choice(last)
            name = f"{rng.choice(first)} {rng.choice(second)}{ending}"
            for vowel in "AEIOUÉÈÊH":
                name = name.replace(f" de {vowel}", f" d'{vowel}")
            if attempt > 20:
                name = f"{name} {rng.choice(data.TOWNS).name}"
            if attempt > 200:
                name = f"{name} {attempt}"
            if name not in self.names:
                return name
        raise AssertionError("No name is left.")

    def _address(self, country: data.Country | None) -> Json:
        rng = self.rng
        house = str(rng.randrange(1, 180))
        if country:
            parts = (
                country.name,
                country.region,
                country.town,
                country.street,
                country.postal_code,
            )
        else:
            town = rng.choice(data.TOWNS)
            parts = ("France", town.region, town.name, rng.choice(data.STREETS), town.postal_code)
        country_name, region, locality, street, postal_code = parts
        return {
            "value": f"{house} {street}, {postal_code} {locality}, {country_name}",
            "country": country_name,
            "admin_area_level_1": region,
            "admin_area_level_2": None,
            "locality": locality,
            "sublocality": None,
            "route": street,
            "street_number": house,
            "subpremise": None,
            "postal_code": postal_code,
        }

    def _person(self, organization_id: int, host: str, updated: datetime, name: str = "") -> int:
        rng, world = self.rng, self.world
        person_id = len(world.persons) + 1
        first, last = rng.choice(data.FIRST_NAMES), rng.choice(data.LAST_NAMES)
        if name:
            first, last = name, ""
        world.persons[person_id] = {
            "id": person_id,
            "name": f"{first} {last}".strip(),
            "first_name": first,
            "last_name": last or None,
            "owner_id": self.owners[organization_id],
            "org_id": organization_id,
            "add_time": stamp(updated),
            "update_time": stamp(updated),
            "emails": [
                {
                    "value": f"{_slug(first)}.{_slug(last) or 'contact'}@{host}",
                    "primary": True,
                    "label": "work",
                }
            ],
            "phones": [
                {
                    "value": f"+33 2 61 91 {rng.randrange(100):02d} {rng.randrange(100):02d}",
                    "primary": True,
                    "label": "work",
                }
            ],
            "is_deleted": False,
            "visible_to": 3,
            "label_ids": [],
            "picture_id": None,
            "custom_fields": {},
        }
        self.people.setdefault(organization_id, []).append(person_id)
        return person_id

    # Deals

    def _at(self, day: date) -> datetime:
        """A moment of that day within office hours."""
        seconds = self.rng.randrange(8 * 3600, 17 * 3600)
        return datetime.combine(day, time(), UTC) + timedelta(seconds=seconds)

    def _draft(self, organization_id: int | None, added: datetime, **fields: Any) -> _Draft:
        rng = self.rng
        profile = self.world.profiles.get(organization_id or 0)
        client_type = profile.client_type if profile else "SME"
        english = profile is not None and profile.language == "English"
        theme = rng.choice(data.THEMES_EN if english else data.THEMES_FR)
        title = f"{theme} {added.year}{'' if english else rng.choice(data.SUFFIXES)}"
        draft = _Draft(title=title, organization_id=organization_id, added=added)
        draft.currency = profile.currency if profile else "EUR"
        draft.pipeline = 1 if rng.random() < 0.26 else 0
        if fields.pop("with_lines", True):
            self._lines(draft, client_type)
        for name, value in fields.items():
            setattr(draft, name, value)
        self.drafts.append(draft)
        return draft

    def _lines(self, draft: _Draft, client_type: str) -> None:
        rng = self.rng
        method = rng.choices(("exclusive", "inclusive", "none"), (90, 6, 4))[0]
        recurring = draft.pipeline == 1 and rng.random() < 0.25
        choices = [p for p in data.PRODUCTS if recurring or p.frequency == "one-time"]
        size = _SIZE[client_type]
        # Most deals begin with work by the day; expenses only ever come with something else.
        wanted = rng.choices((1, 2, 3, 4, 5), (34, 28, 20, 12, 6))[0]
        first = rng.choice([p for p in choices if p.unit in ("jour", "mois", "forfait")][:20])
        others = rng.sample([p for p in choices if p is not first], wanted - 1)
        for product in (first, *others):
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

    def _regular_deals(self, organizations: list[int], count: int) -> None:
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
            draft = self._draft(organization_id, self._at(day))
            length = int(min(160, rng.lognormvariate(math.log(30), 0.7)))
            closes = day + timedelta(days=length)
            while closes.weekday() > 4:
                closes += timedelta(days=1)
            if closes > last_close:
                if rng.random() < 0.15:
                    self._without_lines(draft)
                continue
            draft.closed = self._at(max(closes, day)) + timedelta(hours=1 if closes == day else 0)
            draft.closed = max(draft.closed, draft.added + timedelta(minutes=30))
            draft.status = "won" if rng.random() < 0.70 else "lost"
            if draft.status == "lost" and rng.random() < 0.3:
                self._without_lines(draft)
            elif draft.status == "won" and closes < self.today - timedelta(days=400):
                draft.archived = rng.random() < 0.06

    def _without_lines(self, draft: _Draft) -> None:
        draft.lines, draft.discounts, draft.installments = [], [], 0
        draft.free_value = Decimal(self.rng.randrange(2, 60)) * 500

    # The odd cases, and the queue of what is to be billed

    def _awkward_organizations(self) -> None:
        """Each also has won deals of the past; the merged one is merged after they are made."""
        cases: dict[str, tuple[str, Json]] = {
            "organization_without_address": (
                "SME",
                {"name": "Ferronnerie Tanguy SARL", "address": None},
            ),
            "organization_without_vat_id": (
                "SME",
                {"name": "Brasserie du Bout du Quai SAS", "vat_id": ""},
            ),
            "organization_with_markup_and_emoji": (
                "SME",
                {"name": "Crêperie <b>Ti Gwenn</b> & Fils 🥞"},
            ),
            "organization_with_template_code": (
                "Start-up",
                {"name": '{{ 7*7 }} Conseil {% now "Y" %}'},
            ),
            "organization_with_250_characters": ("Non-profit", {"name": _LONG_NAME}),
            "organization_with_unknown_option": (
                "SME",
                {"name": "Verrerie de Kerfany SAS", "option": 999},
            ),
            "organization_deleted": ("SME", {"name": "Papeterie Morvan SARL"}),
            "organization_merged_away": ("Large account", {"name": "Belvallée SAS"}),
            "organization_merged_into": ("Large account", {"name": "Groupe Belvallée"}),
            "client_later_than_its_habit": ("Large account", {"name": "Compagnie des Phares SA"}),
        }
        for case, (client_type, given) in cases.items():
            organization_id = self._organization(client_type, **given)
            self.world.awkward[case] = organization_id
            many = 34 if case == "client_later_than_its_habit" else 3
            if many > 3 and self.count < 600:
                many = 4
            for place in range(many):
                back = 45 + place * (800 // many) + self.rng.randrange(10)
                self._won(organization_id, back)
        awkward, world = self.world.awkward, self.world
        awkward["person_with_markup"] = self._person(
            awkward["organization_with_markup_and_emoji"],
            "tigwenn.example",
            self._at(self.today - timedelta(days=120)),
            name="<img src=x onerror=alert(1)> Gwenn 💶",
        )
        gone = self._at(self.today - timedelta(days=12))
        loser, winner = awkward["organization_merged_away"], awkward["organization_merged_into"]
        for draft in self.drafts:
            if draft.organization_id == loser:
                draft.organization_id = winner
        for person_id in self.people.pop(loser):
            world.persons[person_id].update(org_id=winner, update_time=stamp(gone))
            self.people[winner].append(person_id)
        world.merged[loser] = winner
        world.organizations[winner]["update_time"] = stamp(gone)
        for organization_id in (loser, awkward["organization_deleted"]):
            world.organizations[organization_id].update(is_deleted=True, update_time=stamp(gone))

    def _won(self, organization_id: int | None, days_back: int, **fields: Any) -> _Draft:
        day = self.today - timedelta(days=days_back)
        if day.weekday() > 4:
            day -= timedelta(days=day.weekday() - 4)
        added = self._at(day - timedelta(days=self.rng.randrange(8, 60)))
        return self._draft(organization_id, added, status="won", closed=self._at(day), **fields)

    def _queue(self, regular: list[int]) -> None:
        """Won lately, so not yet billed: most are complete, five lack something."""
        rng, awkward = self.rng, self.world.awkward
        profiles = self.world.profiles
        by_currency = {
            currency: [o for o in regular if profiles[o].currency == currency]
            for currency in ("EUR", "USD", "GBP")
        }
        french = [o for o in by_currency["EUR"] if profiles[o].country == "FR"]
        for place in range(9):
            self._won(rng.choice(french), 2 + place * 2)
        for currency, days_back in (("USD", 6), ("GBP", 9)):
            if by_currency[currency]:
                self._won(rng.choice(by_currency[currency]), days_back)
        overflowing = self._won(rng.choice(french), 5, name="deal_with_5000_character_comment")
        overflowing.lines[0]["comments"] = _LONG_COMMENT
        rebate = self._won(rng.choice(french), 8, name="deal_with_negative_line")
        rebate.lines[0].update(quantity=10, item_price=890, is_enabled=True)
        rebate.lines.append(
            {
                **rebate.lines[0],
                "quantity": 1,
                "item_price": -500,
                "discount": 0,
                "discount_type": "percentage",
                "comments": "Reprise de l'acompte de cadrage.",
            }
        )
        del rebate.lines[5:]

        self._won(awkward["organization_without_address"], 4, name="deal_lacking_an_address")
        self._won(awkward["organization_without_vat_id"], 7, name="deal_lacking_a_vat_id")
        self._won(
            rng.choice(french),
            3,
            name="deal_without_lines",
            with_lines=False,
            free_value=Decimal(8400),
        )
        self._won(None, 11, name="deal_without_organization")
        self._won(rng.choice(french), 13, name="deal_in_unknown_currency", currency="KRL")

    def _awkward_deals(self, regular: list[int]) -> None:
        rng = self.rng
        nothing = self._won(rng.choice(regular), 210, name="deal_of_zero_value", with_lines=False)
        nothing.title = "Atelier de découverte offert"
        nothing.lines = [{"product_id": 10, "quantity": 1, "item_price": 0}]
        huge = self._won(rng.choice(regular), 95, name="deal_with_12_digit_price", with_lines=False)
        huge.status = "lost"
        huge.title = "Erreur de saisie : ne pas facturer"
        huge.lines = [{"product_id": 16, "quantity": 1, "item_price": 123456789012.34}]
        titled = self._won(rng.choice(regular), 130, name="deal_with_template_bomb")
        titled.title = (
            "{% for x in '0123456789'|make_list %}{{ x|ljust:'99999999' }}{% endfor %} 🚀"
        )
        archived = self._won(rng.choice(regular), 500, name="deal_archived_and_won")
        archived.archived = True
        inclusive = self._won(rng.choice(regular), 60, name="deal_with_tax_inclusive_lines")
        exempt = self._won(rng.choice(regular), 61, name="deal_with_tax_method_none")
        for draft, method in ((inclusive, "inclusive"), (exempt, "none")):
            for line in draft.lines:
                line.update(tax_method=method, tax=20 if method == "inclusive" else 0)
        discounted = self._won(rng.choice(regular), 62, name="deal_with_extra_discounts")
        discounted.lines[0].update(quantity=10, item_price=720, is_enabled=True)
        discounted.discounts = [
            {"type": "percentage", "amount": 5, "description": "Remise fidélité"},
            {"type": "amount", "amount": 250, "description": "Geste commercial"},
        ]
        disabled = self._won(rng.choice(regular), 63, name="deal_with_disabled_line")
        disabled.lines = [*disabled.lines[:3], {**disabled.lines[0], "is_enabled": False}]
        instalments = self._won(rng.choice(regular), 64, name="deal_with_installments")
        instalments.installments, instalments.pipeline = 3, 0
        instalments.lines = [{"product_id": 16, "quantity": 1, "item_price": 18000, "tax": 20}]
        recurring = self._won(rng.choice(regular), 65, name="deal_with_recurring_line")
        recurring.pipeline = 1
        recurring.lines = [
            {
                "product_id": 19,
                "quantity": 1,
                "item_price": 390,
                "tax": 20,
                "billing_frequency": "monthly",
                "billing_frequency_cycles": 12,
                "billing_start_date": str(self.today - timedelta(days=40)),
            },
            {
                "product_id": 20,
                "quantity": 2,
                "item_price": 1290,
                "tax": 20,
                "billing_frequency": "monthly",
                "billing_frequency_cycles": None,
            },
        ]

    def _deleted_deals(self, regular: list[int]) -> None:
        for days_back, name in ((20, "deal_deleted"), (33, ""), (90, "deal_deleted_long_ago")):
            self._won(self.rng.choice(regular), days_back, name=name, deleted=True)

    # From drafts to numbered deals

    def _number_the_deals(self) -> None:
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

    def _deal(self, deal_id: int, draft: _Draft) -> Json:
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
            deal["update_time"] = stamp(self._at(self.today - timedelta(days=6)))
        deal["custom_fields"] = self._deal_custom_fields(draft, people)
        return deal

    def _deal_custom_fields(self, draft: _Draft, people: list[int]) -> Json:
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

    def _numbered_lines(self, deal: Json, draft: _Draft, first_id: int) -> list[Json]:
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

    def _instalments(self, deal: Json, draft: _Draft, value: Decimal) -> list[Json]:
        parts = draft.installments
        share = (value / parts).quantize(Decimal("0.01"))
        start = (draft.closed or draft.added).date()
        return [
            {
                "id": deal["id"] * 10 + place,
                "amount": number(share if place < parts - 1 else value - share * (parts - 1)),
                "billing_date": str(start + timedelta(days=30 * (place + 1))),
                "description": f"Échéance {place + 1}/{parts}",
                "deal_id": deal["id"],
            }
            for place in range(parts)
        ]


def _slug(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return "-".join("".join(c if c.isalnum() else " " for c in plain).split())


def _currencies() -> list[Json]:
    named = (("EUR", "Euro", "€"), ("USD", "US Dollar", "$"), ("GBP", "British Pound", "£"))
    official = [
        {
            "id": place,
            "code": code,
            "name": name,
            "decimal_points": 2,
            "symbol": symbol,
            "active_flag": True,
            "is_custom_flag": False,
        }
        for place, (code, name, symbol) in enumerate(named, start=1)
    ]
    own = {**official[0], "id": 201, "code": "KRL", "name": "Crédit Kerlann", "symbol": "KRL"}
    return [*official, {**own, "is_custom_flag": True}]


_LONG_NAME: Final = (
    "Association intercommunale pour la promotion des métiers du numérique, de la mer et du "
    "littoral, l'accompagnement des demandeurs d'emploi et la formation tout au long de la vie "
    "dans les territoires ruraux et insulaires de la Bretagne et des Pays de la Loire réunies"
)[:250]

_SENTENCE: Final = (
    "Reprise des données du logiciel précédent, contrôle des écarts avec le service comptable, "
    "puis bascule en production un vendredi soir et présence sur site le lundi. "
)
_LONG_COMMENT: Final = (_SENTENCE * 40)[:4_999] + "."
