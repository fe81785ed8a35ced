"""A run in words and figures, for the pages (no queries)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from billing_portal.figures import grouped
from integrations.core.runs import COUNTS
from integrations.models import SyncRun

# What a person sees as one step, and the steps of the import that it stands for.
SHOWN: Final[tuple[tuple[str, Any, tuple[str, ...]], ...]] = (
    ("settings", gettext_lazy("Fields, people and stages"), ("fields", "users", "pipelines")),
    ("products", gettext_lazy("Products"), ("products",)),
    ("organizations", gettext_lazy("Organisations"), ("organizations",)),
    ("persons", gettext_lazy("Contacts"), ("persons",)),
    ("deals", gettext_lazy("Deals and lines"), ("deals",)),
    ("archived", gettext_lazy("Archived deals"), ("archived",)),
    ("gone", gettext_lazy("Deleted there"), ("gone",)),
)
_STATES: Final = {
    SyncRun.State.QUEUED: ("promised", "clock"),
    SyncRun.State.RUNNING: ("promised", "loader-2"),
    SyncRun.State.DONE: ("settled", "circle-check"),
    SyncRun.State.FAILED: ("overdue", "alert-circle"),
}
WAITS_TOO_LONG: Final = timedelta(seconds=20)


@dataclass(frozen=True)
class Step:
    label: Any
    state: str
    done: int
    total: int | None
    text: str


@dataclass(frozen=True)
class Progress:
    run: SyncRun
    title: str
    headline: str
    left: str
    done: int
    total: int | None
    quarter: int
    steps: list[Step]
    result: str
    state_class: str
    icon: str
    changed: int
    read: int
    took: str

    @property
    def live(self) -> bool:
        return is_live(self.run)

    @property
    def waits(self) -> bool:
        """Nobody has taken it yet, for longer than a worker needs."""
        return (
            self.run.state == SyncRun.State.QUEUED
            and self.run.queued_at < timezone.now() - WAITS_TOO_LONG
        )


def is_live(run: SyncRun) -> bool:
    return run.state in (SyncRun.State.QUEUED, SyncRun.State.RUNNING)


def title_of(run: SyncRun) -> str:
    provider = run.connection.get_provider_display()
    text = _("Full import from %(provider)s") if run.full else _("Changes from %(provider)s")
    return text % {"provider": provider}


def progress_of(run: SyncRun) -> Progress:
    steps = _steps(run)
    deals = run.progress.get("deals", {})
    done, total = deals.get("done", 0), deals.get("total")
    state_class, icon = _STATES[SyncRun.State(run.state)]
    if run.state == SyncRun.State.DONE and run.refused:
        state_class, icon = "promised", "alert-triangle"
    return Progress(
        run=run,
        title=title_of(run),
        headline=_headline(run, done, total),
        left=_left(run, done, total),
        done=done,
        total=total,
        quarter=4 * done // total if total else 0,
        steps=steps,
        result=_result(run),
        state_class=state_class,
        icon=icon,
        changed=run.created + run.updated,
        read=run.created + run.updated + run.unchanged + run.refused,
        took=_took(run),
    )


def _steps(run: SyncRun) -> list[Step]:
    shown = []
    for at, (key, label, names) in enumerate(SHOWN):
        later = {name for _k, _l, group in SHOWN[at + 1 :] for name in group}
        places = [run.progress[name] for name in names if name in run.progress]
        done = sum(place["done"] for place in places)
        handled = sum(place.get(word, 0) for place in places for word in COUNTS)
        known = [place["total"] for place in places if place["total"] is not None]
        total = sum(known) if known and len(known) == len(places) else None
        if run.state == SyncRun.State.RUNNING and run.step in names:
            state = "now"
        elif places and len(places) == len(names):
            state = "done"
        elif not places and later & run.progress.keys():
            # An earlier run came that far and stopped; this one goes on from there.
            state = "before"
        else:
            state = "waiting"
        if state == "before":
            state, text = "done", _("done before")
        elif state == "waiting":
            text = _("waiting") if is_live(run) else _("not reached")
        elif state == "done" and handled:
            # As the figures of the run count: without fields, which are no objects, and with a
            # contact that no page named but a deal.
            text = grouped(handled)
        elif total == 0 or (state == "done" and key == "settings"):
            text = _("nothing new") if not run.full else _("none")
        elif total is None:
            text = grouped(done)
        else:
            text = _("%(done)s of %(total)s") % {"done": grouped(done), "total": grouped(total)}
        shown.append(Step(label, state, done, total, text))
    return shown


def _headline(run: SyncRun, done: int, total: int | None) -> str:
    if run.state == SyncRun.State.QUEUED:
        return _("Waiting for the worker")
    if total and run.state != SyncRun.State.DONE:
        return _("%(done)s of %(total)s deals") % {"done": grouped(done), "total": grouped(total)}
    if done:
        return ngettext("%(done)s deal read", "%(done)s deals read", done) % {"done": grouped(done)}
    if run.state == SyncRun.State.DONE:
        return _("Nothing new")
    return _("Reading what the deals need first") if is_live(run) else _("No deal was read")


def _left(run: SyncRun, done: int, total: int | None) -> str:
    if run.state != SyncRun.State.RUNNING or not total or not done or run.started_at is None:
        return ""
    seconds = (timezone.now() - run.started_at).total_seconds() * (total - done) / done
    if seconds < 60:
        return _("less than a minute left")
    minutes = round(seconds / 60)
    return ngettext("about %(n)s min left", "about %(n)s min left", minutes) % {"n": minutes}


def _took(run: SyncRun) -> str:
    if run.started_at is None:
        return "–"
    seconds = round(((run.finished_at or timezone.now()) - run.started_at).total_seconds())
    if seconds < 60:
        return _("%(n)s s") % {"n": max(seconds, 1)}
    return _("%(n)s min") % {"n": round(seconds / 60)}


def _result(run: SyncRun) -> str:
    refused = ngettext("%(n)s refused", "%(n)s refused", run.refused) % {"n": grouped(run.refused)}
    words = {
        SyncRun.State.QUEUED: _("waiting"),
        SyncRun.State.RUNNING: _("running"),
        SyncRun.State.DONE: _("done"),
        SyncRun.State.FAILED: _("stopped"),
    }
    word = words[SyncRun.State(run.state)]
    return f"{word}, {refused}" if run.refused else word
