"""What waits for a person: the desk, the sidebar and the top bar ask for the same things here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django_q.models import Failure, Schedule

from integrations.models import Connection, ExternalLink, SyncRefusal, SyncRun
from invoices.models import Deal

# Imports go every ten minutes: after so long without one, something is wrong.
STALE: Final = timedelta(hours=1)
# A schedule that was due so long ago waits for a worker that does not come.
OVERDUE: Final = timedelta(hours=1)


@dataclass(frozen=True)
class Wait:
    """`act` names what can be done on the spot: connect, import, check, look, map, again."""

    title: str
    text: str
    act: str
    late: bool = True
    key: int = 0


def of_connection(connection: Connection) -> list[Wait]:
    names = {"provider": str(connection)}
    found = []
    if connection.state == Connection.State.PAUSED:
        title = _("Imports from %(provider)s rest") % names
        found.append(Wait(title, connection.pause_text, "connect"))
    else:
        last = connection.runs.first()
        if last is not None and last.state == SyncRun.State.FAILED:
            title = _("The last import from %(provider)s stopped") % names
            found.append(Wait(title, last.failure_text, "import"))
        elif is_stale(last):
            title = _("No import from %(provider)s for over an hour") % names
            text = _("They go every ten minutes, so the worker probably does not run.")
            found.append(Wait(title, text, "import"))
    if question := missing_question(connection):
        found.append(question)
    if refused := refused_objects(connection):
        title = ngettext(
            "%(n)s object of %(provider)s was refused",
            "%(n)s objects of %(provider)s were refused",
            len(refused),
        ) % {"n": len(refused), **names}
        first = refused[0]
        text = " ".join(filter(None, (f"{first.label} –" if first.label else "", first.text)))
        found.append(Wait(title, text, "look", key=first.run_id))
    unknown = sum(len(row.unknown) for row in connection.mappings.exclude(unknown={}))
    if unknown:
        title = ngettext(
            "%(n)s option of %(provider)s has no meaning here yet",
            "%(n)s options of %(provider)s have no meaning here yet",
            unknown,
        ) % {"n": unknown, **names}
        text = _("Their clients are kept; an administrator chooses what the options mean.")
        found.append(Wait(title, text, "map", late=False))
    return found


def of_platform(connection: Connection) -> list[Wait]:
    """The approved platform: what keeps files here, and messages there."""
    if connection.state == Connection.State.PAUSED:
        title = _("The approved platform rests: nothing leaves and nothing comes in")
        return [Wait(title, connection.pause_text, "platform")]
    last = connection.last_synced_at
    if last is not None and last < timezone.now() - STALE:
        title = _("Nothing was heard from the approved platform for over an hour")
        text = _("It is asked every five minutes; what waits here leaves as soon as it answers.")
        return [Wait(title, text, "platform")]
    return []


def in_short(waits: Sequence[Wait]) -> str:
    """What waits, in a few words: one is named, of several their number."""
    if len(waits) == 1:
        return waits[0].title
    return ngettext("%(n)s point to settle", "%(n)s points to settle", len(waits)) % {
        "n": len(waits)
    }


def missing_question(connection: Connection) -> Wait | None:
    """What a person must say before so many objects are looked up one by one."""
    names = {"provider": str(connection)}
    missing = sum(each["missing"] for each in connection.missing.values())
    if not missing:
        return None
    title = ngettext(
        "%(n)s object of %(provider)s is no longer visible",
        "%(n)s objects of %(provider)s are no longer visible",
        missing,
    ) % {"n": missing, **names}
    text = _(
        "Deleted, or hidden from the owner of the token? Nothing was changed. Each can be "
        "looked up; only what is deleted there is then marked here."
    )
    # One thing to decide, however many they are; and while the connection rests, later.
    act = "check" if connection.state == Connection.State.ACTIVE else ""
    return Wait(title, text, act)


def is_stale(last: SyncRun | None) -> bool:
    if last is None or last.state != SyncRun.State.DONE:
        return False
    return last.finished_at is None or last.finished_at < timezone.now() - STALE


def refused_objects(connection: Connection) -> list[SyncRefusal]:
    """What the CRM has and we could not take, each once, by the imports since the last full one.

    What an import has read meanwhile is no longer among them.
    """
    full = connection.runs.filter(full=True, state=SyncRun.State.DONE).first()
    rows = SyncRefusal.objects.filter(run__connection=connection, taken=False)
    if full is not None:
        rows = rows.filter(run_id__gte=full.pk)
    newest = {(row.kind, row.external_id): row for row in rows.order_by("pk")}
    links = ExternalLink.objects.filter(
        provider=connection.provider, external_id__in=[number for _kind, number in newest]
    )
    local = {(link.kind, link.external_id): link.local_id for link in links}
    outdated = set(
        Deal.objects.filter(pk__in=[pk for (kind, _n), pk in local.items() if kind == "deal"])
        .exclude(outdated={})
        .values_list("pk", flat=True)
    )
    return [
        row
        for key, row in newest.items()
        if key not in local or (row.kind == "deal" and local[key] in outdated)
    ]


def of_schedules() -> list[Wait]:
    """What should run by itself and does not: the worker is away, or the task fails."""
    late = Schedule.objects.filter(next_run__lt=timezone.now() - OVERDUE).exclude(
        Q(repeats=0) | Q(schedule_type=Schedule.ONCE)
    )
    found = []
    if number := late.count():
        title = ngettext(
            "%(n)s task that runs by itself waits",
            "%(n)s tasks that run by themselves wait",
            number,
        ) % {"n": number}
        text = _("The worker does not run. Start it; nothing is lost, all of it is caught up.")
        found.append(Wait(title, text, "", number))
    failed = set(Failure.objects.values_list("id", flat=True)[:500])
    for schedule in Schedule.objects.exclude(task=None).order_by("pk"):
        if schedule.task in failed:
            title = _("“%(name)s” failed the last time") % {"name": _(schedule.name)}
            text = _("It is tried again by itself at its next time; the log says what happened.")
            found.append(Wait(title, text, "again", key=schedule.pk))
    return found
