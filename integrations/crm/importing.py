"""Pull from Pipedrive: pages of its JSON become clients, contacts, people and deals.

Who wins: the CRM for what it maps and fills in, each time the object changes there; an empty field
of the CRM never erases ours, and what is not mapped belongs to finance. Twice is the same as once:
a fingerprint of what was read stands beside each link, and equal ones are left alone. Each page is
one transaction that also saves where to go on.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from integrations.core.http import AddressRefused, Json, ProviderError
from integrations.core.runs import DryJournal, Journal, TakenOver
from integrations.crm.deals import PullDeals
from integrations.crm.walking import STEPS
from integrations.models import Connection, ExternalLink, Provider, SyncRefusal, SyncRun
from integrations.pipedrive.client import Pipedrive
from invoices.clients.merging import merge_clients
from invoices.models import Client, Contact, Deal

logger = logging.getLogger(__name__)


@dataclass
class Result:
    """What a dry run would have done."""

    run: SyncRun
    refusals: list[SyncRefusal]


def carry_out(run: SyncRun, *, on_progress: Callable[[SyncRun], None] | None = None) -> SyncRun:
    """Work on a claimed run to its end. A refusal of the provider ends it as failed, in words."""
    journal = Journal(run, on_progress)
    language = run.started_by.language if run.started_by else "en-gb"
    with translation.override(language):
        try:
            with _client(run.connection, journal) as client:
                journal.client_requests = lambda: client.requests
                _Sync(client, run.connection, journal, full=run.full).all()
        except TakenOver:
            logger.warning("Sync run %s was taken over by another process.", run.pk)
        except AddressRefused as refusal:
            journal.fail(str(refusal), pause=True)
        except ProviderError as error:
            journal.fail(str(error), pause=error.credentials)
        except Exception:
            journal.fail(
                _("A fault of the portal stopped this import. What came in is kept; tell support.")
            )
            raise
    return run


def dry_run(
    connection: Connection, *, full: bool, on_progress: Callable[[SyncRun], None] | None = None
) -> Result:
    """Read everything and count what would change; nothing is kept. Raises ProviderError.

    The database is rolled back at the end; SQLite lets nobody else write meanwhile.
    """
    run = SyncRun(connection=connection, full=full, state=SyncRun.State.RUNNING)
    journal = DryJournal(run, on_progress)
    with _client(connection, journal) as client, transaction.atomic():
        journal.client_requests = lambda: client.requests
        _Sync(client, connection, journal, full=full).all()
        transaction.set_rollback(True)
    return Result(run, journal.refusals)


def _client(connection: Connection, journal: Journal) -> Pipedrive:
    return Pipedrive(
        connection.base_url, connection.api_token, sleep=journal.sleep, before=journal.beat
    )


class _Sync(PullDeals):
    def all(self) -> None:
        reached = self.run.resume.get("step") or STEPS[0]
        start = STEPS.index(reached) if reached in STEPS else 0
        # What is small is read again after a crash: the later steps need it.
        for step in STEPS:
            if STEPS.index(step) >= start or step in ("fields", "users", "pipelines"):
                self.journal.begin(step)
                getattr(self, f"_{step}")()
        self.journal.finish()

    def _gone(self) -> None:
        """Deleted objects leave the lists without a word: look for those that we miss."""
        moves: dict[str, list[int]] = self.run.resume.get("moves", {})
        now = timezone.now()
        lost_from = {int(pk) for pk in moves}
        clients = Client.objects.filter(gone_at=None)
        if not self.full:
            clients = clients.filter(pk__in=lost_from)
        gone = self._verified_gone("organization", set(clients.values_list("pk", flat=True)))
        contacts: list[int] = []
        deals: list[int] = []
        if self.full:
            people = Contact.objects.filter(gone_at=None).values_list("pk", flat=True)
            contacts = self._verified_gone("person", set(people))
            living = Deal.objects.exclude(status=Deal.Status.DELETED).values_list("pk", flat=True)
            deals = self._verified_gone("deal", set(living))
        with self.journal.page():
            for pk in gone:
                targets = [target for target in moves.get(str(pk), []) if target not in gone]
                Client.objects.filter(pk=pk, gone_at=None).update(gone_at=now, merged_into=None)
                if len(targets) == 1:
                    merge_clients(loser_id=pk, winner_id=targets[0], at=now)
            if contacts:
                Contact.objects.filter(pk__in=contacts).update(gone_at=now)
            if deals:
                self._mark_deleted(list(Deal.objects.filter(pk__in=deals)))
            self.journal.count("updated", len(gone) + len(contacts) + len(deals))
            self.journal.advance("gone", len(gone) + len(contacts) + len(deals), done=True)

    def _verified_gone(self, entity: str, living: set[int]) -> list[int]:
        """Of our living rows those that the provider no longer has."""
        if not living:
            return []
        rows = ExternalLink.objects.filter(provider=Provider.PIPEDRIVE, kind=entity)
        linked = {
            int(external): local
            for external, local in rows.values_list("external_id", "local_id")
            if local in living
        }
        missed = sorted(linked.keys() - self.seen[entity])
        if not missed:
            return []
        if self.full and len(missed) > max(20, len(linked) // 2):
            # A token that sees less would wipe out what another one brought in.
            self.journal.notice(
                entity,
                "",
                "",
                [
                    _(
                        "%(missed)s of %(all)s are not visible to this token; none was marked as "
                        "deleted. Check what its owner may see."
                    )
                    % {"missed": len(missed), "all": len(linked)}
                ],
            )
            return []
        there = {each.get("id") for each in self.client.some(entity, missed) if _lives(each)}
        if entity == "deal" and (rest := [n for n in missed if n not in there]):
            there |= {
                each.get("id")
                for each in self.client.some(entity, rest, archived=True)
                if _lives(each)
            }
        return [linked[number] for number in missed if number not in there]


def _lives(thing: Json) -> bool:
    return thing.get("is_deleted") is not True
