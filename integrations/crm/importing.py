"""Import from a CRM: pages of it become clients, contacts, people and deals.

Who wins: the CRM for what it maps and fills in, each time the object changes there; an empty field
of the CRM never erases ours, and what is not mapped belongs to finance. Twice is the same as once:
a fingerprint of what was read stands beside each link, and equal ones are left alone. Each page is
one transaction that also saves where to go on.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from django.db import transaction

from billing_portal.notices import Notice
from integrations.core.http import AddressRefused, ProviderError
from integrations.core.runs import DryJournal, Journal, TakenOver
from integrations.crm import clients, contacts, deals, gone, places, products
from integrations.crm.contract import Crm
from integrations.crm.walking import ENTITY_OF, STEPS, Context, begin_clock, walk
from integrations.models import Connection, SyncRefusal, SyncRun

logger = logging.getLogger(__name__)

# How the CRM of a connection is opened: the registry knows.
Open = Callable[..., Crm]


@dataclass
class Result:
    """What a dry run would have done."""

    run: SyncRun
    refusals: list[SyncRefusal]


def carry_out(
    run: SyncRun, *, open_crm: Open, on_progress: Callable[[SyncRun], None] | None = None
) -> SyncRun:
    """Work on a claimed run to its end. A refusal of the provider ends it as failed."""
    journal = Journal(run, on_progress)
    try:
        with open_crm(run.connection, sleep=journal.sleep, before=journal.beat) as crm:
            journal.client_requests = lambda: crm.requests
            _all_steps(Context(crm, run.connection, journal, run.full))
    except TakenOver:
        logger.warning("Sync run %s was taken over by another process.", run.pk)
    except AddressRefused as refusal:
        journal.fail(refusal.notice, pause=True)
    except ProviderError as error:
        journal.fail(error.notice, pause=error.credentials)
    except Exception:
        journal.fail(Notice("crm.fault"))
        raise
    return run


def dry_run(
    connection: Connection,
    *,
    full: bool,
    open_crm: Open,
    on_progress: Callable[[SyncRun], None] | None = None,
) -> Result:
    """Read everything and count what would change; nothing is kept. Raises ProviderError.

    The database is rolled back at the end; SQLite lets nobody else write meanwhile.
    """
    run = SyncRun(connection=connection, full=full, state=SyncRun.State.RUNNING)
    journal = DryJournal(run, on_progress)
    with (
        open_crm(connection, sleep=journal.sleep, before=journal.beat) as crm,
        transaction.atomic(),
    ):
        journal.client_requests = lambda: crm.requests
        _all_steps(Context(crm, connection, journal, full))
        transaction.set_rollback(True)
    return Result(run, journal.refusals)


_WORK: Final[dict[str, Callable[[Context], None]]] = {
    "fields": places.read_fields,
    "users": places.read_users,
    "pipelines": places.read_pipelines,
    "products": products.read_products,
    "organizations": lambda context: walk(
        context, "organizations", lambda things: clients.prepare(context, things)
    ),
    "persons": lambda context: walk(
        context, "persons", lambda things: contacts.prepare(context, things)
    ),
    "deals": lambda context: walk(context, "deals", lambda things: deals.prepare(context, things)),
    "archived": lambda context: walk(
        context, "archived", lambda things: deals.prepare(context, things)
    ),
    "gone": gone.find_gone,
}
# What is small is read again after a crash: the later steps need it.
_ALWAYS: Final = ("fields", "users", "pipelines")


def _all_steps(context: Context) -> None:
    resume = context.run.resume
    reached = resume.get("step") or STEPS[0]
    start = STEPS.index(reached) if reached in STEPS else 0
    for step, entity in ENTITY_OF.items():
        if STEPS.index(step) < start or (step == reached and resume.get("cursor")):
            # Another process read the beginning of it, and took with it which objects it saw.
            context.incomplete.add(entity)
    for step in STEPS:
        if STEPS.index(step) >= start or step in _ALWAYS:
            context.journal.begin(step)
            _WORK[step](context)
            begin_clock(context)
    context.journal.finish()
