"""The company that uses the CRM: its people, stages, products and fields."""

import hashlib
from datetime import date, datetime, timedelta
from decimal import Decimal

from integrations.sandbox.pipedrive import data
from integrations.sandbox.pipedrive.definitions import field_definitions
from integrations.sandbox.pipedrive.shapes import DEAL_CUSTOM_FIELDS, Json, number, stamp
from integrations.sandbox.pipedrive.world import World


def empty_world(*, today: date, seed: int, founded: datetime) -> World:
    """The company without its customers; `founded` is when its CRM was set up."""
    start = founded
    users = [
        _user(today, place, name, login, start) for place, (name, login) in enumerate(data.USERS)
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
        today=today,
        seed=seed,
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
            place: _product(place, product, start, users[0]["id"])
            for place, product in enumerate(data.PRODUCTS, start=1)
        },
        deal_fields=deal_fields,
        organization_fields=organization_fields,
        person_fields=person_fields,
        keys=keys,
    )


def _user(today: date, place: int, name: str, login: str, start: datetime) -> Json:
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
        "last_login": f"{today - timedelta(days=1 if active else 240)} 08:12:45",
        "created": f"{start:%Y-%m-%d %H:%M:%S}",
        "modified": f"{today - timedelta(days=1 if active else 239)} 08:12:45",
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


def _product(product_id: int, product: data.Product, start: datetime, owner: int) -> Json:
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
