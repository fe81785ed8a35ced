"""The organisations that buy, and the persons who work there."""

import unicodedata
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any, Final

from integrations.sandbox.pipedrive import data, names, places
from integrations.sandbox.pipedrive.company import empty_world
from integrations.sandbox.pipedrive.definitions import OPTION_IDS, TERM_IDS
from integrations.sandbox.pipedrive.identifiers import foreign_vat, french_vat, siren
from integrations.sandbox.pipedrive.shapes import Json, stamp
from integrations.sandbox.pipedrive.world import Profile

DAYS: Final = 913
"""Thirty months: as long as the company has used its CRM."""

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


class Customers:
    def __init__(self, today: date, seed: int) -> None:
        self.rng = Random(f"kerlann {seed}")
        self.today = today
        founded = self.at(today - timedelta(days=DAYS + 200))
        self.world = empty_world(today=today, seed=seed, founded=founded)
        self.names: set[str] = set()
        self.used: set[str] = set()
        self.people: dict[int, list[int]] = {}
        self.weights: dict[int, float] = {}
        self.owners: dict[int, int] = {}

    def at(self, day: date) -> datetime:
        """A moment of that day within office hours."""
        seconds = self.rng.randrange(8 * 3600, 17 * 3600)
        return datetime.combine(day, time(), UTC) + timedelta(seconds=seconds)

    def organization(self, client_type: str, **given: Any) -> int:
        """`given` overrides name, address, vat_id, terms or the client type's option id."""
        rng, world = self.rng, self.world
        foreign = client_type == "International"
        country = rng.choice(places.COUNTRIES) if foreign else None
        name = given.get("name") or self._name(client_type, country)
        self.names.add(name)
        organization_id = len(world.organizations) + 1
        company_number = "" if country else siren(rng, public=client_type == "Public sector")
        vat_id = foreign_vat(rng, country.code) if country else french_vat(company_number)
        host = _slug(name)[:40].strip("-") + ".example"
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
        address = given["address"] if "address" in given else self._address(country, _place(name))
        added = self.at(self.today - timedelta(days=rng.randrange(DAYS, DAYS + 150)))
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
            self.person(organization_id, host, updated)
        self.weights[organization_id] = _APPETITE[client_type] * rng.lognormvariate(0, 0.5)
        return organization_id

    def _name(self, client_type: str, country: places.Country | None) -> str:
        rng = self.rng
        first, middle, last = names.NAMES[client_type]
        if country:
            english = country.code in ("GB", "US")
            middle = tuple(
                name
                for name in middle
                if names.HOMES.get(name) == (None if english else country.code)
            )
        for attempt in range(1_000):
            unused = [name for name in middle if name not in self.used] or middle
            chosen = rng.choice(unused)
            ending = f" {country.legal_form}" if country else rng.choice(last)
            name = f"{rng.choice(first)}{chosen}{ending}"
            if attempt > 20:
                name = f"{name} {rng.choice(places.TOWNS).name}"
            if attempt > 200:
                name = f"{name} {attempt}"
            if name not in self.names:
                self.used.add(chosen)
                return name
        raise AssertionError("No name is left.")

    def _address(self, country: places.Country | None, place: places.Town | None) -> Json:
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
            town = place or rng.choice(places.TOWNS)
            parts = ("France", town.region, town.name, rng.choice(places.STREETS), town.postal_code)
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

    def person(self, organization_id: int, host: str, updated: datetime, name: str = "") -> int:
        rng, world = self.rng, self.world
        person_id = len(world.persons) + 1
        first, last = rng.choice(names.FIRST_NAMES), rng.choice(names.LAST_NAMES)
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


def _slug(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return "-".join("".join(c if c.isalnum() else " " for c in plain).split())


def _place(name: str) -> places.Town | None:
    """The invented place that a public body is named after, if it is one."""
    return next((place for place in places.PUBLIC_PLACES if name.endswith(place.name)), None)
