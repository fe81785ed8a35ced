"""What every step of an import shares: links, pages, and what is said about an object."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from django.utils import timezone

from integrations.core.http import Json, ProviderError
from integrations.core.runs import Journal
from integrations.crm.fields import Found
from integrations.crm.suggesting import load_rules
from integrations.crm.values import Refused
from integrations.models import Connection, ExternalLink, Provider
from integrations.pipedrive import mapping
from integrations.pipedrive.client import Pipedrive
from invoices.models import Company

STEPS: Final = (
    "fields",
    "users",
    "pipelines",
    "organizations",
    "persons",
    "deals",
    "archived",
    "gone",
)
ENTITIES: Final = ("organization", "deal", "person")
# Clocks differ, and an object may become visible a little after its own time stamp.
OVERLAP: Final = timedelta(minutes=5)
BATCH: Final = 500
# Options without a meaning that are kept for the mapping page; nobody reads more.
MOST_UNKNOWN: Final = 100


class Pull:
    def __init__(
        self, client: Pipedrive, connection: Connection, journal: Journal, *, full: bool
    ) -> None:
        self.client, self.connection, self.journal, self.full = client, connection, journal, full
        self.run = journal.run
        self._read_mapping()
        self.company = Company.ours() or Company()
        self.seen: dict[str, set[int]] = {entity: set() for entity in ENTITIES}
        self.absent: set[int] = set()
        self.lookups = 0
        self.units: dict[int, str] = {}
        self.users: dict[int, int] = {}
        self.stages: dict[int, int] = {}

    def _read_mapping(self) -> None:
        self.rules = load_rules(self.connection)
        self.mapped = {row.target: row for row in self.connection.mappings.all()}

    def _links(self, kind: str, ids: Iterable[int] | None = None) -> dict[int, ExternalLink]:
        rows = ExternalLink.objects.filter(provider=Provider.PIPEDRIVE, kind=kind)
        if ids is not None:
            rows = rows.filter(external_id__in=[str(number) for number in ids])
        return {int(row.external_id): row for row in rows}

    def _local(self, kind: str, ids: Iterable[int]) -> dict[int, int]:
        wanted = [str(number) for number in set(ids)]
        rows = ExternalLink.objects.filter(
            provider=Provider.PIPEDRIVE, kind=kind, external_id__in=wanted
        ).values_list("external_id", "local_id")
        return {int(external): local for external, local in rows}

    def _link(
        self, kind: str, external_id: int, local_id: int, print_: str, changed_at: str = ""
    ) -> ExternalLink:
        return ExternalLink(
            provider=Provider.PIPEDRIVE,
            kind=kind,
            external_id=str(external_id),
            local_id=local_id,
            external_updated_at=changed_at,
            fingerprint=print_,
        )

    @staticmethod
    def _keep_links(new: list[ExternalLink], changed: list[ExternalLink]) -> None:
        ExternalLink.objects.bulk_create(new, batch_size=BATCH)
        if changed:
            ExternalLink.objects.bulk_update(
                changed, ["local_id", "external_updated_at", "fingerprint"], batch_size=BATCH
            )

    def _walk(
        self, step: str, entity: str, prepare: Callable[[list[Json]], Callable[[], None]]
    ) -> None:
        """Page after page: `prepare` asks the provider for more, what it returns writes."""
        resume = self.run.resume
        cursors = self.connection.cursors
        if resume.get("step") == step and "since" in resume:
            since, cursor, newest = (resume.get(key) for key in ("since", "cursor", "newest"))
        else:
            since, cursor, newest = self._since(step), None, None
        if step == "deals" and self.full and cursor is None:
            self.journal.advance(step, 0, self.client.deal_count())
        while True:
            try:
                page = self.client.changed(
                    entity, since=since, cursor=cursor, archived=step == "archived"
                )
            except ProviderError as error:
                if cursor is None or error.status not in (400, 404, 410, 422):
                    raise
                # A cursor from before a crash may have expired: its last moment serves as well.
                since, cursor = newest or since, None
                continue
            self.seen[entity].update(
                n for each in page.items if isinstance(n := each.get("id"), int)
            )
            stamps = [
                each["update_time"] for each in page.items if _is_moment(each.get("update_time"))
            ]
            newest = max([*stamps, *([newest] if newest else [])], default=None)
            write = prepare(page.items)
            cursor = page.next_cursor
            last = cursor is None
            with self.journal.page():
                write()
                self.journal.advance(step, len(page.items), done=last)
                if last:
                    following = STEPS[STEPS.index(step) + 1]
                    self.journal.place(step=following)
                    for key in ("since", "cursor", "newest"):
                        resume.pop(key, None)
                    if newest and newest > cursors.get(step, ""):
                        cursors[step] = newest
                        Connection.objects.filter(pk=self.connection.pk).update(cursors=cursors)
                else:
                    self.journal.place(step=step, since=since, cursor=cursor, newest=newest)
            if last:
                return

    def _since(self, step: str) -> str | None:
        reached = self.connection.cursors.get(step)
        if self.full or not reached:
            return None
        moment = datetime.fromisoformat(reached) - OVERLAP
        return moment.strftime("%Y-%m-%dT%H:%M:%SZ")

    def _read(self, kind: str, things: list[Json], reader: Callable[[Json], Any]) -> list[Any]:
        found = []
        for thing in things:
            try:
                found.append((thing, reader(thing)))
            except Refused as refusal:
                self.journal.refuse(kind, thing.get("id"), mapping.title_of(thing), str(refusal))
        return found

    def _notice(self, kind: str, external_id: int, label: str, found: Found) -> None:
        self.journal.notice(kind, external_id, label, found.notices)
        for target, option in found.unknown.items():
            row = self.mapped.get(target)
            if row is not None and option not in row.unknown and len(row.unknown) < MOST_UNKNOWN:
                row.unknown = {**row.unknown, option: label}
                row.save(update_fields=["unknown"])

    def _moved(self, from_client: int, to_client: int) -> None:
        """Remember who lost deals or people to whom: it shows which organisations were merged."""
        moves = self.run.resume.setdefault("moves", {})
        targets = moves.setdefault(str(from_client), [])
        if to_client not in targets:
            targets.append(to_client)


def plain(found: Found) -> tuple[Any, ...]:
    return (sorted(found.values.items()), sorted(found.unknown.items()))


def assign(row: Any, wanted: Mapping[str, Any]) -> bool:
    """Set the fields; whether any of them was different."""
    different = False
    for name, value in wanted.items():
        if getattr(row, name) != value:
            setattr(row, name, value)
            different = True
    return different


def update(model: Any, rows: list[Any], fields: list[str]) -> None:
    if not rows:
        return
    if "updated_at" in fields:
        now = timezone.now()
        for row in rows:
            row.updated_at = now
    model.objects.bulk_update(rows, fields, batch_size=BATCH // 2)


def _is_moment(value: Any) -> bool:
    try:
        return isinstance(value, str) and datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False
