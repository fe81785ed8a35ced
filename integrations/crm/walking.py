"""What every step of an import shares: the context, links, pages, and what is said of an object."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar

from django.utils import timezone

from integrations.core.http import ProviderError
from integrations.core.runs import Journal
from integrations.crm.contract import Crm, Thing
from integrations.crm.fields import Found, Rules
from integrations.crm.suggesting import load_rules
from integrations.crm.values import Refused
from integrations.models import Connection, ExternalLink, FieldMapping, SyncRun
from invoices.models import Company

STEPS: Final = (
    "fields",
    "users",
    "pipelines",
    "products",
    "organizations",
    "persons",
    "deals",
    "archived",
    "gone",
)
# The steps that read a list in pages, and whose objects they read.
ENTITY_OF: Final = {
    "products": "product",
    "organizations": "organization",
    "persons": "person",
    "deals": "deal",
    "archived": "deal",
}
ENTITIES: Final = ("organization", "deal", "person")
# Clocks differ, and an object may become visible a little after its own time stamp.
OVERLAP: Final = timedelta(minutes=5)
BATCH: Final = 500
# Options without a meaning that are kept for the mapping page; nobody reads more.
MOST_UNKNOWN: Final = 100
V = TypeVar("V")


@dataclass
class Context:
    """One import at work: what it reads from, what it writes to, what it has seen so far."""

    crm: Crm
    connection: Connection
    journal: Journal
    full: bool
    company: Company = field(default_factory=lambda: Company.ours() or Company())
    rules: Rules = field(init=False)
    mapped: dict[str, FieldMapping] = field(init=False)
    seen: dict[str, set[int]] = field(
        default_factory=lambda: {name: set() for name in ENTITY_OF.values()}
    )
    # What the plan lacks, or the owner of the token may not see at all.
    unavailable: set[str] = field(default_factory=set)
    # Entities whose lists this process did not read from the beginning: `seen` is not all of them.
    incomplete: set[str] = field(default_factory=set)
    absent: set[int] = field(default_factory=set)
    lookups: int = 0
    # Our keys by the provider's numbers.
    users: dict[int, int] = field(default_factory=dict)
    stages: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.read_mapping()

    def read_mapping(self) -> None:
        self.rules = load_rules(self.connection)
        self.mapped = {row.target: row for row in self.connection.mappings.all()}

    @property
    def run(self) -> SyncRun:
        return self.journal.run

    @property
    def provider(self) -> str:
        return self.connection.provider


# ─ Links


def links_of(
    context: Context, kind: str, ids: Iterable[int] | None = None
) -> dict[int, ExternalLink]:
    rows = ExternalLink.objects.filter(provider=context.provider, kind=kind)
    if ids is not None:
        rows = rows.filter(external_id__in=[str(number) for number in ids])
    return {int(row.external_id): row for row in rows}


def local_keys(context: Context, kind: str, ids: Iterable[int]) -> dict[int, int]:
    rows = ExternalLink.objects.filter(
        provider=context.provider, kind=kind, external_id__in=[str(number) for number in set(ids)]
    ).values_list("external_id", "local_id")
    return {int(external): local for external, local in rows}


def new_link(
    context: Context, kind: str, external_id: int, local_id: int, print_: str, changed_at: str = ""
) -> ExternalLink:
    return ExternalLink(
        provider=context.provider,
        kind=kind,
        external_id=str(external_id),
        local_id=local_id,
        external_updated_at=changed_at,
        fingerprint=print_,
    )


def renew(link: ExternalLink, print_: str, changed_at: str) -> bool:
    """Note what was read and that it is visible; whether the link says anything else by that."""
    before = (link.fingerprint, link.external_updated_at, link.hidden_at)
    link.fingerprint, link.external_updated_at, link.hidden_at = print_, changed_at, None
    return before != (print_, changed_at, None)


def keep_links(links: Iterable[ExternalLink]) -> None:
    """The new ones and the changed ones."""
    new: list[ExternalLink] = []
    changed: list[ExternalLink] = []
    for link in links:
        # Asked before they are written: afterwards the new ones are there too.
        (new if link._state.adding else changed).append(link)
    ExternalLink.objects.bulk_create(new, batch_size=BATCH)
    if changed:
        ExternalLink.objects.bulk_update(
            changed,
            ["local_id", "external_updated_at", "fingerprint", "hidden_at"],
            batch_size=BATCH,
        )


# ─ Pages


def walk(context: Context, step: str, prepare: Callable[[list[Thing]], Callable[[], None]]) -> None:
    """Page after page: `prepare` asks the provider for more, what it returns writes."""
    journal, resume = context.journal, context.run.resume
    entity = ENTITY_OF[step]
    if resume.get("step") == step and "since" in resume:
        since, cursor, newest = (resume.get(key) for key in ("since", "cursor", "newest"))
    else:
        since, cursor, newest = _since(context, step), None, None
    if step == "deals" and context.full and cursor is None:
        journal.advance(step, 0, context.crm.deal_count())
    while True:
        try:
            page = context.crm.changed(
                entity, since=since, cursor=cursor, archived=step == "archived"
            )
        except ProviderError as error:
            if cursor is None or error.status not in (400, 404, 410, 422):
                raise
            # A cursor from before a crash may have expired: its last moment serves as well.
            since, cursor = newest or since, None
            continue
        context.seen[entity].update(each.id for each in page.things if each.id is not None)
        stamps = [each.changed_at for each in page.things if _moment(each.changed_at)]
        newest = max([*stamps, *([newest] if newest else [])], default=None)
        write = prepare(page.things)
        cursor = page.next_cursor
        last = cursor is None
        with journal.page():
            write()
            journal.advance(step, len(page.things), done=last)
            if last:
                journal.place(step=STEPS[STEPS.index(step) + 1])
                for key in ("since", "cursor", "newest"):
                    resume.pop(key, None)
                _reach(context, step, newest)
            else:
                journal.place(step=step, since=since, cursor=cursor, newest=newest)
        if last:
            return


def _since(context: Context, step: str) -> str | None:
    reached = context.connection.cursors.get(step)
    if context.full or not reached:
        return None
    moment = datetime.fromisoformat(reached) - OVERLAP
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def begin_clock(context: Context) -> None:
    """Keep the moment, by the provider's clock, before which everything is read by this import."""
    if "begun" not in context.run.resume:
        moment = (context.crm.clock or timezone.now()).astimezone(UTC)
        context.journal.place(begun=moment.strftime("%Y-%m-%dT%H:%M:%SZ"))


def _reach(context: Context, step: str, newest: str | None) -> None:
    """Where the next import of changes starts: at the newest stamp read, but never in the future.

    One object with a stamp of next month would hide whatever changes until then. A place that an
    older import left in the future is brought back here too.
    """
    begun: str = context.run.resume["begun"]
    cursors = context.connection.cursors
    reached = cursors.get(step)
    places = [min(place, begun) for place in (reached, newest) if place]
    furthest = max(places, default=None)
    if furthest and furthest != reached:
        cursors[step] = furthest
        Connection.objects.filter(pk=context.connection.pk).update(cursors=cursors)


def read_each(
    context: Context, kind: str, things: Sequence[Thing], reader: Callable[[Thing], V]
) -> tuple[list[tuple[Thing, V]], list[tuple[Thing, Refused]]]:
    """What could be read, and what could not, which the run tells of."""
    found, refused = [], []
    for thing in things:
        try:
            found.append((thing, reader(thing)))
        except Refused as refusal:
            context.journal.refuse(kind, thing.id, thing.title, refusal.notice)
            refused.append((thing, refusal))
    return found, refused


# ─ What is said


def notice(context: Context, kind: str, external_id: int, label: str, found: Found) -> None:
    context.journal.notice(kind, external_id, label, found.notices)
    for target, option in found.unknown.items():
        row = context.mapped.get(target)
        if row is not None and option not in row.unknown and len(row.unknown) < MOST_UNKNOWN:
            row.unknown = {**row.unknown, option: label}
            row.save(update_fields=["unknown"])


def moved(context: Context, from_client: int, to_client: int) -> None:
    """Remember who lost deals or people to whom: it shows which organisations were merged."""
    moves = context.run.resume.setdefault("moves", {})
    targets = moves.setdefault(str(from_client), [])
    if to_client not in targets:
        targets.append(to_client)


# ─ Rows


def plain(found: Found) -> tuple[Any, ...]:
    return (sorted(found.values.items()), sorted(found.unknown.items()))


def says(row: Any, wanted: Mapping[str, Any]) -> bool:
    """Whether the row holds these values."""
    return all(getattr(row, name) == value for name, value in wanted.items())


def assign(row: Any, wanted: Mapping[str, Any]) -> bool:
    """Set the fields; whether any of them was different."""
    different = not says(row, wanted)
    for name, value in wanted.items():
        setattr(row, name, value)
    return different


def update(model: Any, rows: list[Any], fields: list[str]) -> None:
    if not rows:
        return
    if "updated_at" in fields:
        now = timezone.now()
        for row in rows:
            row.updated_at = now
    model.objects.bulk_update(rows, fields, batch_size=BATCH // 2)


def _moment(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False
