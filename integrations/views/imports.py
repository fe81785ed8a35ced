"""Connections, their mapping, and the imports as they run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django_htmx.http import trigger_client_event
from django_q.models import Schedule

from billing_portal.acts import carry_out
from billing_portal.htmx import StaffRequest, came_from, go_to, wants_partial
from billing_portal.lists.columns import Column
from billing_portal.lists.exports import file_name, stream_csv
from billing_portal.toasts import announce
from billing_portal.words import labelled
from integrations.connecting import ConnectRefused, connect_crm
from integrations.core.progress import Progress, is_live, progress_of
from integrations.core.runs import SyncRefused, start_sync
from integrations.core.waiting import (
    Wait,
    in_short,
    is_stale,
    missing_question,
    of_connection,
    of_platform,
    of_schedules,
)
from integrations.crm.forms import ConnectForm
from integrations.models import Connection, ExternalLink, SyncRun
from integrations.registry import OFFERED, crm_connection, object_url, platform_connection
from invoices.models import Deal
from invoices.outbox.waiting import waiting_for_a_person

RUNS_SHOWN: Final = 12
REFUSALS_SHOWN: Final = 100
# What htmx takes as “stop asking”.
STOP_POLLING: Final = 286


@require_GET
@permission_required("integrations.view_connection", raise_exception=True)
def index(request: StaffRequest) -> HttpResponse:
    connection = crm_connection()
    context: dict[str, Any] = {"connection": connection, "platform": platform_connection()}
    if connection is not None:
        runs = list(connection.runs.select_related("connection", "started_by")[:RUNS_SHOWN])
        waits = of_connection(connection)
        context |= {
            "waits": waits,
            "runs": [progress_of(run) for run in runs],
            "unknown": _unknown(connection),
            "missing": missing_question(connection),
            **_shown_run(connection, runs),
            **_health(connection, runs[0] if runs else None, waits),
        }
    return render(request, "integrations/index.html", context)


def _shown_run(connection: Connection, runs: list[SyncRun]) -> dict[str, Any]:
    """The import to look at: the running one, else the last that has something to say."""
    told = connection.runs.select_related("connection", "started_by").exclude(
        created=0, updated=0, refused=0, state=SyncRun.State.DONE
    )
    run = runs[0] if runs and is_live(runs[0]) else told.first() or (runs[0] if runs else None)
    return _run_context(run) if run else {}


def _run_context(run: SyncRun) -> dict[str, Any]:
    rows = list(run.refusals.filter(taken=False)[:REFUSALS_SHOWN])
    notices = list(run.refusals.filter(taken=True)[:REFUSALS_SHOWN])
    for row in (*rows, *notices):
        row.url = object_url(run.connection, row.kind, row.external_id)  # type: ignore[attr-defined]
        row.what = KINDS.get(row.kind, row.kind)  # type: ignore[attr-defined]
    return {
        "run": run,
        "progress": progress_of(run),
        "refusals": rows,
        "notices": notices,
        "more_notices": run.refusals.filter(taken=True).count() - len(notices),
    }


KINDS: Final = {
    "deal": gettext_lazy("Deal"),
    "organization": gettext_lazy("Organisation"),
    "person": gettext_lazy("Contact"),
    "user": gettext_lazy("User"),
}


def _crm_or_404() -> Connection:
    connection = crm_connection()
    if connection is None:
        raise Http404
    return connection


def _unknown(connection: Connection) -> list[tuple[Any, int]]:
    rows = connection.mappings.exclude(unknown={})
    return [(row.get_target_display(), len(row.unknown)) for row in rows]


def _health(connection: Connection, last: SyncRun | None, waits: Sequence[Wait]) -> dict[str, Any]:
    """A word for the connection and its colour; well is one of which nothing waits."""
    name = str(connection)
    if connection.state == Connection.State.PAUSED:
        word, key = _("%(name)s: imports rest") % {"name": name}, "paused"
    elif last is not None and is_live(last):
        word, key = _("%(name)s: importing") % {"name": name}, "running"
    elif last is None:
        word, key = _("%(name)s: nothing imported yet") % {"name": name}, "empty"
    elif last.state == SyncRun.State.FAILED:
        word, key = _("%(name)s: last import stopped") % {"name": name}, "failed"
    elif is_stale(last):
        word, key = _("%(name)s: no import for over an hour") % {"name": name}, "stale"
    elif waits:
        # It works: what waits is something else, and is named.
        word, key = labelled(name, in_short(waits)), "waits"
    else:
        word, key = _("%(name)s is up to date") % {"name": name}, "well"
    return {"health_word": word, "health_key": key}


@require_http_methods(["GET", "POST"])
@permission_required("integrations.view_connection", raise_exception=True)
def connection_page(request: StaffRequest) -> HttpResponse:
    """The connection itself; a POST connects, or connects again."""
    connection = crm_connection()
    may_change = request.user.has_perm("integrations.change_connection")
    initial = {"base_url": connection.base_url if connection else ""}
    posted = request.method == "POST"
    form = ConnectForm(
        request.POST if posted else None,
        provider=OFFERED.name,
        address=OFFERED.address_help,
        token=OFFERED.token_help,
        initial=initial,
    )
    if posted and not may_change:
        return render(request, "403.html", status=403)
    if posted and form.is_valid():
        try:
            connected = connect_crm(**form.cleaned_data)
        except ConnectRefused as refusal:
            form.add_error(refusal.field, str(refusal))
        else:
            messages.success(
                request,
                _("Connected to %(account)s. Import its deals now.")
                % {"account": connected.account_name or connected.base_url},
            )
            return go_to(request, reverse("integrations:index"))
    return render(
        request,
        "integrations/connection.html",
        {"connection": connection, "form": form, "may_change": may_change},
        status=422 if form.errors else 200,
    )


@require_POST
@permission_required("integrations.run_sync", raise_exception=True)
def start(request: StaffRequest) -> HttpResponse:
    connection = _crm_or_404()
    # To look up each object that is no longer seen is a full import.
    check = request.POST.get("check_missing") == "1"
    full = check or request.POST.get("full") == "1"

    def url(run: SyncRun) -> str:
        return reverse("integrations:run", args=[run.pk])

    def refused(refusal: SyncRefused) -> HttpResponse:
        messages.warning(request, str(refusal))
        running = connection.runs.filter(state__in=["queued", "running"]).first()
        return go_to(request, url(running) if running else reverse("integrations:index"))

    answer = carry_out(
        request,
        action="integrations.start_sync",
        act=lambda: start_sync(
            connection_id=connection.pk, full=full, by=request.user, check_missing=check
        ),
        refused={SyncRefused: refused},
        done=lambda run: go_to(request, url(run)),
        url=url,
    )
    assert answer is not None
    return answer


@require_GET
@permission_required("integrations.view_connection", raise_exception=True)
def run(request: StaffRequest, pk: int) -> HttpResponse:
    """An import; while it runs, htmx asks for its figures every second."""
    found = get_object_or_404(SyncRun.objects.select_related("connection", "started_by"), pk=pk)
    context = _run_context(found)
    if not wants_partial(request):
        return render(request, "integrations/run.html", context)
    progress: Progress = context["progress"]
    answer = render(request, "integrations/partials/run_figures.html", {**context, "polled": True})
    if not progress.live:
        announce(answer, labelled(progress.title, progress.result))
        trigger_client_event(answer, "health-changed")
        answer.status_code = STOP_POLLING
    elif progress.quarter > _number(request.GET.get("quarter", "")):
        announce(answer, f"{progress.title}: {progress.headline}")
    return answer


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 4 else 0


@require_GET
@permission_required("integrations.view_connection", raise_exception=True)
def refused_csv(request: StaffRequest, pk: int) -> StreamingHttpResponse:
    found = get_object_or_404(SyncRun, pk=pk)
    columns = [
        Column(key="kind", label=_("Kind"), value=lambda row: row.kind),
        Column(key="number", label=_("Number"), value=lambda row: row.external_id),
        Column(key="name", label=_("Name"), value=lambda row: row.label),
        Column(key="taken", label=_("Taken"), value=lambda row: _("yes") if row.taken else _("no")),
        Column(key="reason", label=_("What happened"), value=lambda row: row.text),
    ]
    return stream_csv(
        found.refusals.iterator(), columns, file_name(pgettext("file", "import"), pk, "csv")
    )


@require_GET
@login_required
def health(request: StaffRequest) -> HttpResponse:
    """A word for the top bar; those who may act get a link with it.

    The same answer fills the sidebar's count and, on the desk, its tile and its list.
    """
    connection = crm_connection()
    context: dict[str, Any] = {"connection": connection, "provider": OFFERED.name}
    may_act = request.user.has_perm("integrations.view_connection")
    # Who can do nothing about it is told only whether imports come through.
    waits = of_connection(connection) if connection is not None and may_act else []
    if connection is not None:
        context |= _health(connection, connection.runs.first(), waits)
    if may_act:
        platform = platform_connection()
        waits += of_platform(platform) if platform is not None else []
        waits += of_schedules()
        at_desk = came_from(request) == "/"
        context |= {
            "waits": waits,
            "at_desk": at_desk,
            # The desk lists them beside the tile, which must not say that all is well.
            "mails_wait": at_desk and waiting_for_a_person().exists(),
        }
    return render(request, "integrations/partials/health.html", context)


@require_POST
@permission_required("integrations.run_sync", raise_exception=True)
def run_again(request: StaffRequest, pk: int) -> HttpResponse:
    """A task that runs by itself and failed: now instead of at its next time."""
    found = Schedule.objects.filter(pk=pk).update(next_run=timezone.now())
    if found:
        messages.success(request, _("It runs within the next minute."))
    return go_to(request, "/")


@require_GET
@permission_required("invoices.view_deal", raise_exception=True)
def deal(request: StaffRequest, pk: int) -> HttpResponse:
    """Where the deal is in the CRM: other pages link here and need not know which CRM it is."""
    get_object_or_404(Deal.objects.visible_to(request.user), pk=pk)
    connection = crm_connection()
    link = (
        connection
        and ExternalLink.objects.filter(
            provider=connection.provider, kind="deal", local_id=pk
        ).first()
    )
    url = object_url(connection, "deal", link.external_id) if connection and link else ""
    if not url:
        messages.info(request, _("This deal did not come from the CRM that is connected."))
        return redirect("invoices:deal", pk=pk)
    return redirect(url)
