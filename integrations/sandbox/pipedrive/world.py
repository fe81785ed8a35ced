"""What the stand-in remembers, and the changes that people in a CRM make to it.

Objects are kept as the dictionaries that the API answers with, so that serving thousands of them
costs little. Change them through the methods below, never in place: a method bumps `update_time`
as the provider would and drops the JSON that was kept ready.
"""

import json
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from integrations.sandbox.pipedrive.edits import MoreEdits
from integrations.sandbox.pipedrive.shapes import (
    DEAL_CUSTOM_FIELDS,
    Json,
    deal_discount,
    deal_value,
    empty_deal,
    empty_line,
    line_sum,
    number,
    parse_stamp,
    stamp,
)

DELETED_KEPT_FOR: Final = timedelta(days=30)


class UnknownObject(Exception):
    """The edit names an object, a field or an option that the world does not have."""


@dataclass(frozen=True)
class Profile:
    client_type: str
    country: str
    currency: str
    language: str
    terms_days: int
    end_of_month: bool
    billing_email: str
    vat_id: str
    siren: str


@dataclass
class World(MoreEdits):
    """One company's CRM. `today` is the day its story ends; `awkward` names the odd cases."""

    today: date
    seed: int
    company: Json
    users: list[Json]
    currencies: list[Json]
    pipelines: dict[int, Json]
    stages: dict[int, Json]
    products: dict[int, Json]
    deal_fields: list[Json]
    organization_fields: list[Json]
    person_fields: list[Json]
    keys: dict[str, str]
    """The 40-character key of each custom field, by a short name such as `client_type`."""
    organizations: dict[int, Json] = field(default_factory=dict)
    persons: dict[int, Json] = field(default_factory=dict)
    deals: dict[int, Json] = field(default_factory=dict)
    lines: dict[int, list[Json]] = field(default_factory=dict)
    discounts: dict[int, list[Json]] = field(default_factory=dict)
    installments: dict[int, list[Json]] = field(default_factory=dict)
    awkward: dict[str, int] = field(default_factory=dict)
    profiles: dict[int, Profile] = field(default_factory=dict)
    """What the company knows of an organisation, whatever its CRM fields say."""
    merged: dict[int, int] = field(default_factory=dict)
    hidden: set[tuple[str, int]] = field(default_factory=set)
    """Objects, by kind and number, that the owner of the token may not see."""
    lacking: set[str] = field(default_factory=set)
    """What the plan has not."""
    lock: threading.RLock = field(default_factory=threading.RLock)
    edits: int = 0
    """How many changes there were; who keeps the world in a file sees by it that there is news."""
    _ready: dict[tuple[str, int], bytes] = field(default_factory=dict)
    _latest: datetime = datetime(2000, 1, 1, tzinfo=UTC)
    _last_id: int = 0

    # What the API reads

    def ready(self, kind: str, thing: Json) -> bytes:
        """The JSON of an object, kept until it changes."""
        key = (kind, thing["id"])
        if (text := self._ready.get(key)) is None:
            text = self._ready[key] = json.dumps(thing, ensure_ascii=False).encode()
        return text

    def lines_of(self, deal_id: int) -> list[Json]:
        return self.lines.get(deal_id, [])

    def next_id(self) -> int:
        if not self._last_id:
            self._last_id = max(
                [*self.organizations, *self.persons, *self.deals]
                + [line["id"] for lines in self.lines.values() for line in lines]
            )
        self._last_id += 1
        return self._last_id

    def now(self) -> str:
        """The present moment, but always later than any moment given before."""
        if self._latest.year == 2000:
            newest = max(
                thing["update_time"]
                for things in (self.deals, self.organizations, self.persons)
                for thing in things.values()
            )
            self._latest = parse_stamp(newest)
        self.edits += 1
        present = datetime.now(UTC).replace(microsecond=0)
        self._latest = max(present, self._latest + timedelta(seconds=1))
        return stamp(self._latest)

    def recently_deleted(self, thing: Json) -> bool:
        oldest = datetime.combine(self.today, datetime.min.time(), UTC) - DELETED_KEPT_FOR
        return bool(thing["is_deleted"]) and parse_stamp(thing["update_time"]) >= oldest

    # What people do

    def change_deal(self, deal_id: int, **fields: Any) -> Json:
        """Set fields of a deal; those under `custom_fields` are merged key by key."""
        return self._change("deal", self.deals, deal_id, fields)

    def change_organization(self, organization_id: int, **fields: Any) -> Json:
        return self._change("organization", self.organizations, organization_id, fields)

    def change_person(self, person_id: int, **fields: Any) -> Json:
        return self._change("person", self.persons, person_id, fields)

    def add_organization(self, *, name: str, **fields: Any) -> int:
        with self.lock:
            pattern = next(iter(self.organizations.values()))
            moment, organization_id = self.now(), self.next_id()
            self.organizations[organization_id] = {
                **pattern,
                "id": organization_id,
                "name": name,
                "address": None,
                "add_time": moment,
                "update_time": moment,
                "is_deleted": False,
                "custom_fields": dict.fromkeys(pattern["custom_fields"]),
            }
            if fields:
                self.change_organization(organization_id, **fields)
            return organization_id

    def add_deal(
        self,
        *,
        title: str,
        lines: Iterable[Json] = (),
        custom_fields: Json | None = None,
        **fields: Any,
    ) -> int:
        """A new open deal in the first stage; `lines` are as for `set_lines`."""
        with self.lock:
            moment, deal_id = self.now(), self.next_id()
            first_stage = next(iter(self.stages.values()))
            deal = empty_deal()
            deal.update(
                id=deal_id,
                title=title,
                creator_user_id=self.users[0]["id"],
                owner_id=self.users[1]["id"],
                pipeline_id=first_stage["pipeline_id"],
                stage_id=first_stage["id"],
                value=0,
                currency="EUR",
                add_time=moment,
                update_time=moment,
                stage_change_time=moment,
                custom_fields={self.keys[name]: None for name in DEAL_CUSTOM_FIELDS},
            )
            deal.update(fields)
            deal["custom_fields"].update(custom_fields or {})
            self.deals[deal_id] = deal
            if lines:
                self.set_lines(deal_id, lines)
            return deal_id

    def win_deal(self, deal_id: int) -> Json:
        with self.lock:
            return self._close(deal_id, "won")

    def lose_deal(self, deal_id: int, *, reason: str = "Sans réponse") -> Json:
        with self.lock:
            self.change_deal(deal_id, lost_reason=reason)
            return self._close(deal_id, "lost")

    def reopen_deal(self, deal_id: int) -> Json:
        closed = ("close_time", "won_time", "lost_time", "lost_reason")
        local = ("local_won_date", "local_lost_date", "local_close_date")
        return self.change_deal(deal_id, status="open", **dict.fromkeys((*closed, *local)))

    def delete_deal(self, deal_id: int) -> Json:
        return self.change_deal(deal_id, is_deleted=True)

    def archive_deal(self, deal_id: int) -> Json:
        with self.lock:
            deal = self.change_deal(deal_id, is_archived=True)
            return self.change_deal(deal_id, archive_time=deal["update_time"])

    def delete_organization(self, organization_id: int) -> Json:
        """Its deals keep pointing at it, as those of a merged or bulk-deleted one may."""
        return self.change_organization(organization_id, is_deleted=True)

    def merge_organizations(self, loser: int, winner: int) -> list[int]:
        """The loser disappears; its deals and persons, which are returned and bumped, move over."""
        with self.lock:
            if winner not in self.organizations:
                raise UnknownObject(f"There is no organization {winner}.")
            self.delete_organization(loser)
            self.change_organization(winner)
            self.merged[loser] = winner
            moved = [d["id"] for d in self.deals.values() if d["org_id"] == loser]
            for deal_id in moved:
                self.change_deal(deal_id, org_id=winner)
            for person in list(self.persons.values()):
                if person["org_id"] == loser:
                    self.change_person(person["id"], org_id=winner)
            return moved

    def rename_option(self, field_code: str, option_id: int, label: str) -> Json:
        """The objects that use the option are not touched, as with the provider."""
        with self.lock:
            for definition in (*self.organization_fields, *self.deal_fields, *self.person_fields):
                if definition["field_code"] == field_code:
                    for option in definition["options"] or ():
                        if option["id"] == option_id:
                            option["label"] = label
                            option["update_time"] = self.now()
                            return dict(option)
            raise UnknownObject(f"There is no option {option_id} in the field {field_code}.")

    def set_lines(self, deal_id: int, lines: Iterable[Json], *, bump: bool = True) -> Json:
        """Replace a deal's lines; each needs `item_price`, the rest has defaults.

        With `bump=False` the deal's `update_time` stays: it is not known what the provider does.
        """
        with self.lock:
            deal = self._get("deal", self.deals, deal_id)
            moment = self.now()
            prepared = []
            for place, given in enumerate(lines, start=1):
                product = self.products[given.get("product_id", next(iter(self.products)))]
                line = empty_line(deal, product, moment)
                line.update(id=self.next_id(), order_nr=place, **given)
                line["sum"] = number(line_sum(line))
                prepared.append(line)
            for old in self.lines_of(deal_id):
                self._ready.pop(("line", old["id"]), None)
            self.lines[deal_id] = prepared
            value = number(deal_value(prepared, self.discounts.get(deal_id, [])))
            if bump:
                return self.change_deal(deal_id, value=value)
            deal["value"] = value
            self._ready.pop(("deal", deal_id), None)
            return deal

    def set_discounts(self, deal_id: int, discounts: Iterable[Json]) -> Json:
        """Replace a deal's own discounts: `type` percentage or amount, `amount`, `description`."""
        with self.lock:
            deal = self._get("deal", self.deals, deal_id)
            moment = self.now()
            self.discounts[deal_id] = [
                deal_discount(deal, place, moment, **given)
                for place, given in enumerate(discounts, start=1)
            ]
            value = deal_value(self.lines_of(deal_id), self.discounts[deal_id])
            return self.change_deal(deal_id, value=number(value))

    def _close(self, deal_id: int, status: str) -> Json:
        moment = self.now()
        other = "lost" if status == "won" else "won"
        fields = {
            "status": status,
            "close_time": moment,
            f"{status}_time": moment,
            f"{other}_time": None,
            f"local_{status}_date": moment[:10],
            f"local_{other}_date": None,
            "local_close_date": moment[:10],
        }
        if status == "won":
            fields["lost_reason"] = None
        return self.change_deal(deal_id, **fields)

    def _get(self, kind: str, things: dict[int, Json], thing_id: int) -> Json:
        try:
            return things[thing_id]
        except KeyError:
            raise UnknownObject(f"There is no {kind} {thing_id}.") from None

    def _change(self, kind: str, things: dict[int, Json], thing_id: int, fields: Json) -> Json:
        with self.lock:
            thing = self._get(kind, things, thing_id)
            if unknown := fields.keys() - thing.keys():
                raise UnknownObject(f"A {kind} has no {', '.join(sorted(unknown))}.")
            moment = self.now()
            if "stage_id" in fields:
                thing["stage_change_time"] = moment
                thing["pipeline_id"] = self.stages[fields["stage_id"]]["pipeline_id"]
            custom = fields.pop("custom_fields", {})
            thing.update(fields)
            thing["custom_fields"] = {**thing["custom_fields"], **custom}
            thing["update_time"] = moment
            self._ready.pop((kind, thing_id), None)
            return thing
