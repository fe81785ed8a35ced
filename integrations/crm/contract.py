"""What a CRM gives the portal: neutral records, and the protocol that an adapter of one fulfils.

An adapter reads: pages of objects, single ones, and what stands in them as values of ours. It knows
no model. Whatever writes rows (walking.py and what stands on it) knows no provider: a CRM is handed
in, and the registry alone says which.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from types import TracebackType
from typing import Any, Protocol, Self

from billing_portal.notices import Notice
from integrations.crm.fields import Found, Rules


@dataclass(frozen=True)
class Thing:
    """An object as it came; `raw` is for the adapter that made it, and for nobody else."""

    raw: Any
    # None for one without a number, which cannot be told from others.
    id: int | None
    title: str
    # The provider's own stamp of its last change, and "" if it gives none.
    changed_at: str
    deleted: bool
    organization_id: int | None = None
    person_id: int | None = None


@dataclass(frozen=True)
class Page:
    things: list[Thing]
    next_cursor: str | None


@dataclass(frozen=True)
class Place:
    """A pipeline, or a stage of one."""

    id: int
    name: str
    position: int
    pipeline_id: int | None = None


@dataclass(frozen=True)
class Definition:
    """A field of the provider."""

    code: str
    name: str
    field_type: str
    is_custom: bool
    options: list[dict[str, Any]]


@dataclass(frozen=True)
class Account:
    """Whose data a token opens."""

    name: str
    domain: str


@dataclass(frozen=True)
class Address:
    line1: str = ""
    line2: str = ""
    postal_code: str = ""
    city: str = ""
    country: str = ""


@dataclass
class ClientValues:
    external_id: int
    name: str
    owner_id: int | None
    address: Address
    found: Found


@dataclass
class ContactValues:
    external_id: int
    organization_id: int | None
    name: str
    email: str
    phone: str
    job_title: str
    found: Found


@dataclass(frozen=True)
class LineValues:
    name: str
    description: str
    quantity: Decimal
    unit: str
    unit_price: Decimal
    discount: Decimal
    discount_kind: str
    tax_percent: Decimal
    enabled: bool
    billing_frequency: str
    # Of a recurring line: None recurs for ever, or from no day that is given.
    billing_cycles: int | None = None
    billing_starts_on: date | None = None
    # The product of the catalogue.
    product_id: int | None = None


@dataclass(frozen=True)
class InstalmentValues:
    """A part of the deal's value, in minor units of its currency."""

    description: str
    amount_minor: int
    due_on: date


@dataclass
class ProductValues:
    """An item of the CRM's catalogue; prices by currency, before VAT."""

    external_id: int
    code: str
    name: str
    description: str
    unit: str
    # Nought where none is given.
    tax_percent: Decimal
    prices: dict[str, Decimal]
    active: bool
    deleted: bool
    notices: list[Notice]


@dataclass(frozen=True)
class DiscountValues:
    description: str
    kind: str
    value: Decimal


@dataclass
class DealValues:
    external_id: int
    title: str
    organization_id: int | None
    person_id: int | None
    owner_id: int | None
    stage_id: int | None
    status: str
    archived: bool
    currency: str
    value_minor: int
    tax_method: str
    added_on: date | None
    won_on: date | None
    lines: list[LineValues]
    discounts: list[DiscountValues]
    found: Found
    # None where they were not asked for, or the plan has none: what is here stays.
    instalments: list[InstalmentValues] | None = None


@dataclass(frozen=True)
class PersonOfCrm:
    external_id: int
    name: str
    email: str
    active: bool


@dataclass
class DealParts:
    """What belongs to the deals of a page and is asked for apart; for its adapter, as in Thing."""

    lines: dict[int, list[Any]] = field(default_factory=dict)
    discounts: dict[int, list[Any]] = field(default_factory=dict)
    units: dict[int, str] = field(default_factory=dict)
    # Of the deals that were asked about.
    instalments: dict[int, list[Any]] = field(default_factory=dict)
    # They cannot be asked for: the plan has none, or the token may not see them.
    no_instalments: bool = False


class Hidden(Exception):
    """The object may be there, but the owner of the token may not see it."""


class Crm(Protocol):
    """`entity` is "organization", "person", "deal" or "product". Calls raise ProviderError."""

    @property
    def requests(self) -> int: ...

    @property
    def clock(self) -> datetime | None:
        """The provider's time at the first answer; None while none said it."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def account(self) -> Account: ...

    def fields(self, entity: str) -> list[Definition]: ...

    def users(self) -> list[Thing]: ...

    def pipelines(self) -> list[Place]: ...

    def stages(self) -> list[Place]: ...

    def deal_count(self) -> int | None:
        """How many there are, archived and deleted ones not counted; None if not told."""

    def changed(
        self, entity: str, *, since: str | None, cursor: str | None, archived: bool = False
    ) -> Page:
        """A page of objects, oldest change first: what changes meanwhile comes again at the end."""

    def last_won(self, number: int) -> list[Thing]:
        """The deals that changed last and are won."""

    def some(self, entity: str, ids: Sequence[int]) -> list[Thing]:
        """Those of `ids` that the lists have; what is missing may be deleted or hidden."""

    def one(self, entity: str, number: int) -> Thing | None:
        """The object itself, a deleted one too; None if there is none. Raises Hidden."""

    def parts_of(self, deals: Sequence[Thing]) -> DealParts: ...

    def person_values(self, thing: Thing) -> PersonOfCrm: ...

    def client_values(self, thing: Thing, rules: Rules) -> ClientValues: ...

    def contact_values(self, thing: Thing, rules: Rules) -> ContactValues: ...

    def deal_values(self, thing: Thing, parts: DealParts, rules: Rules) -> DealValues: ...

    def product_values(self, thing: Thing) -> ProductValues: ...

    def mapped(self, entity: str, thing: Thing, rules: Rules) -> Found:
        """What the mapped fields of an object hold."""


# How a CRM is opened: `attempts` per request, `sleep` between them, `before` each.
Opener = Callable[..., Crm]
