"""Make a house of the former version: run inside a checkout of it, never with the code of today.

    git worktree add ../former 1e246cd && cd ../former
    DATABASE_URL=… SECRET_KEY=… SALT_KEY=… python …/tests/upgrade/make_former.py FOLDER

README.md beside this file has the whole recipe. Everything is done by that version's own acts
(sync, go-live import, drafts, issue, payments, credit notes, mails, alerts), on one day of its own;
what that version says of the books is written down beside the dump.
"""

from __future__ import annotations

import json
import lzma
import os
import subprocess
import sys
from datetime import date, datetime, timedelta
from io import StringIO
from pathlib import Path

sys.path.insert(0, str(Path.cwd()))
os.environ.update(
    DJANGO_SETTINGS_MODULE="billing_portal.settings",
    DEMO="true",
    HTTPS_ONLY="false",
    ALLOWED_HOSTS="127.0.0.1",
    BASE_URL="http://127.0.0.1:8000",
)

import time_machine

ON = date(2026, 11, 24)
clock = time_machine.travel(datetime.fromisoformat("2026-11-24T09:00:00+00:00"), tick=False)
clock.start()

import django  # noqa: E402

django.setup()

from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.utils import timezone  # noqa: E402
from integrations.pipedrive.sync import carry_out  # noqa: E402
from integrations.runs import claim, start_sync  # noqa: E402
from integrations.sandbox.history import history_csv  # noqa: E402
from invoices.crediting import CreditLine, issue_credit_note  # noqa: E402
from invoices.lacking import missing_for, with_what_billing_needs  # noqa: E402
from moneyed import Money  # noqa: E402

from billing_portal.accounts.models import User  # noqa: E402
from integrations.connecting import connect_pipedrive  # noqa: E402
from integrations.management.commands.demo import bill, make_company, make_people  # noqa: E402
from integrations.sandbox import Sandbox, build_world  # noqa: E402
from invoices import drafting, history_imports, mail, payments  # noqa: E402
from invoices.models import Deal, Invoice, Message  # noqa: E402
from reports import alerts  # noqa: E402
from reports.models import Alert, AlertRule  # noqa: E402


def main(folder: Path) -> None:
    call_command("migrate", verbosity=0)
    clerk = make_people()
    go_live = ON - timedelta(days=70)
    make_company(go_live, ON)
    world = build_world(today=ON, deals=150)
    with Sandbox(world) as crm:
        pipedrive = connect_pipedrive(base_url=crm.base_url, api_token=crm.token)
        imported = start_sync(connection_id=pipedrive.pk, full=True, by=clerk, enqueue=False)
        carry_out(claim(imported.pk))
        bring_history(world, go_live, clerk)
        bill_and_collect(clerk, go_live)
        # Somebody merged two clients in the CRM, and the next import heard of it.
        merge_two(world)
        again = start_sync(connection_id=pipedrive.pk, full=True, by=None, enqueue=False)
        carry_out(claim(again.pk))
    send_mails(clerk)
    watch(clerk)
    call_command("verify_books", stdout=StringIO())
    (folder / "former.json").write_text(
        json.dumps(said(), ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    )


def bring_history(world, until: date, clerk: User) -> None:
    files = {
        name: (f"{name}.csv", history_csv(world, until, name).encode())
        for name in ("clients", "invoices", "payments")
    }
    kept = history_imports.keep(sources=files, by=clerk, on=ON)
    history_imports.start(import_id=kept.pk, by=clerk, on=ON)
    kept.refresh_from_db()
    if kept.state == "queued":
        history_imports.bring_in(import_id=kept.pk, on=ON)
        kept.refresh_from_db()
    assert kept.state == "done", kept.report
    # Another one was looked at and neither brought in nor thrown away.
    history_imports.keep(sources={"clients": files["clients"]}, by=clerk, on=ON)


def ready_deals(go_live: date, *currencies: str) -> list[Deal]:
    deals = Deal.objects.to_bill(go_live).exclude(won_on=None).order_by("won_on", "pk")
    found = list(with_what_billing_needs(deals))
    lacking = missing_for(found)
    return [deal for deal in found if not lacking[deal.pk] and deal.currency in currencies]


def part_of(invoice: Invoice, percent: int) -> Money:
    minor = invoice.total_minor * percent // 100
    return Money(minor, "EUR") / 100


def pay(invoice: Invoice, amount: Money, day: date, clerk: User, reference: str, put: bool = True):
    return payments.record_payment(
        client_id=invoice.client_id,
        amount=amount,
        received_on=day,
        reference=reference,
        method="transfer",
        by=clerk,
        allocations=[(invoice.pk, min(amount, invoice.outstanding_balance))] if put else [],
    )


def bill_and_collect(clerk: User, go_live: date) -> None:
    """Some documents with their PDFs, so that each act of the former version has its row."""
    deals = ready_deals(go_live, "EUR")
    days = [ON - timedelta(days=back) for back in (62, 60, 55, 50, 45, 40, 30, 20)]
    for deal in ready_deals(go_live, "USD", "GBP")[:1]:
        bill(deal.pk, ON - timedelta(days=65), clerk)
    whole, part, bounced, noted, credited, off, over, fresh = (
        Invoice.objects.get(pk=bill(deal.pk, day, clerk))
        for deal, day in zip(deals, days, strict=False)
    )
    pay(whole, whole.total, ON - timedelta(days=20), clerk, "VIR 1")
    pay(part, part_of(part, 40), ON - timedelta(days=10), clerk, "VIR 2")
    cheque = pay(bounced, bounced.total, ON - timedelta(days=25), clerk, "VIR 3")
    payments.reverse_payment(
        payment_id=cheque.pk, by=clerk, on=ON - timedelta(days=22), reason="Came back unpaid"
    )
    issue_credit_note(
        invoice_id=noted.pk,
        lines=[CreditLine(noted.lines.first().pk, noted.lines.first().net_minor // 2)],
        reason="Half was done",
        by=clerk,
        on=ON - timedelta(days=30),
    )
    pay(credited, credited.total, ON - timedelta(days=12), clerk, "VIR 5")
    # Paid already, so the credit note is the client's credit.
    issue_credit_note(
        invoice_id=credited.pk,
        amount=part_of(credited, 25),
        reason="A gesture",
        by=clerk,
        on=ON - timedelta(days=5),
    )
    payments.write_off(
        invoice_id=off.pk, amount=part_of(off, 5), reason="Bank charges", by=clerk, on=ON
    )
    # More than was owed, and money that nobody could place.
    pay(over, over.total + Money("37.20", "EUR"), ON - timedelta(days=3), clerk, "VIR 6")
    pay(fresh, Money("500.00", "EUR"), ON - timedelta(days=1), clerk, "VIR ?", put=False)
    rest = deals[len(days) :]
    for deal in rest[:2]:
        drafting.draft_from_deal(deal_id=deal.pk, by=clerk, on=ON)
    void = drafting.new_draft(client_id=whole.client_id, by=clerk, on=ON)
    drafting.void_draft(invoice_id=void.pk, by=clerk, on=ON, reason="A mistake")
    deal = rest[2]
    deal.set_aside_at, deal.set_aside_by, deal.set_aside_reason = timezone.now(), clerk, "Free"
    deal.save()


def merge_two(world) -> None:
    """The loser has an invoice that is open, and the winner has none: both stay on one account."""
    from integrations.models import ExternalLink

    owing = Invoice.objects.outstanding().filter(series__isnull=False).order_by("pk")
    loser, winner = (
        int(ExternalLink.objects.get(kind="organization", local_id=row.client_id).external_id)
        for row in (owing[0], owing[1])
    )
    world.merge_organizations(loser, winner)


def send_mails(clerk: User) -> None:
    """One mail in every state."""
    issued = list(Invoice.objects.filter(series__isnull=False).order_by("pk")[:5])
    sent, failed, sending, waiting, cancelled = (
        mail.queue_invoice(invoice_id=row.pk, recipients=["compta@client.example"], by=clerk, on=ON)
        for row in issued
    )
    Message.objects.exclude(pk=sent.pk).update(next_attempt_at=timezone.now() + timedelta(hours=1))
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    assert mail.deliver(sent.pk) == "sent"
    Message.objects.filter(pk=failed.pk).update(
        state="failed", attempts=8, error="550 no such mailbox", next_attempt_at=None
    )
    Message.objects.filter(pk=sending.pk).update(
        state="sending", attempts=1, error="The server did not answer.", next_attempt_at=None
    )
    mail.cancel(message_id=cancelled.pk, by=clerk)


def watch(clerk: User) -> None:
    call_command("sync_schedules", stdout=StringIO())
    call_command("starter_rules", stdout=StringIO())
    AlertRule.objects.create(
        name="Ten days late",
        kind="overdue",
        days=10,
        cooldown_days=0,
        created_by=clerk,
        recipients={"emails": ["direction@kerlann.example"], "users": [clerk.pk]},
    )
    AlertRule.objects.create(name="Switched off", kind="overdue", days=90, active=False)
    # Twice, some days apart: what is said once has an episode of more than one day.
    alerts.run(on=ON - timedelta(days=8))
    alerts.run(on=ON)
    first, second = Alert.objects.filter(state="new").order_by("pk")[:2]
    alerts.acknowledge(alert_id=first.pk, by=clerk)
    alerts.snooze(alert_id=second.pk, until=ON + timedelta(days=14), by=clerk, on=ON)


# ─ What this version says of the books ──────────────────────────────────────────────────────────


def asked(*command: str):
    out = StringIO()
    call_command(*command, "--as-of", ON.isoformat(), "--format", "json", stdout=out)
    return json.loads(out.getvalue())


def said() -> dict:
    import hashlib

    from django.apps import apps

    from invoices.models import Document, NumberSeries
    from reports import receivables

    ours = ("accounts", "invoices", "reports", "integrations")
    return {
        "on": ON.isoformat(),
        "counts": {
            model._meta.label: model.objects.count()
            for model in apps.get_models()
            if model._meta.app_label in ours
        },
        "receivables": asked("receivables"),
        "delays": asked("payment_delays", "--by", "client_type"),
        "delays_by_client": asked("payment_delays", "--by", "client"),
        "credit_balances": receivables.credit_balances(ON),
        "unapplied_cash": receivables.unapplied_cash(ON),
        "next_numbers": sorted(s.number(s.next_value) for s in NumberSeries.objects.all()),
        "documents": {
            f"{d.invoice.number} {d.kind}": hashlib.sha256(bytes(d.content)).hexdigest()
            for d in Document.objects.select_related("invoice")
        },
        "balances": {
            row["number"]: [row["status"], row["total_minor"], row["outstanding_minor"]]
            for row in Invoice.objects.exclude(number="")
            .order_by("number")
            .values("number", "status", "total_minor", "outstanding_minor")
        },
        "mails": sorted(
            [m.reason_key.split(":")[0], m.state, m.attempts] for m in Message.objects.all()
        ),
    }


def dumped() -> tuple[str, str]:
    """The whole database as SQL, and the kind of server that understands it."""
    if connection.vendor == "sqlite":
        connection.ensure_connection()
        return "sqlite", "\n".join(connection.connection.iterdump())
    command = ["pg_dump", "--inserts", "--no-owner", "--no-privileges", "--dbname"]
    done = subprocess.run(
        [*command, os.environ["DATABASE_URL"]], check=True, capture_output=True, text=True
    )
    # psql's own commands, and what only one version of the server knows.
    left_out = ("\\", "--", "SET ", "SELECT pg_catalog.set_config")
    lines = [line for line in done.stdout.splitlines() if not line.startswith(left_out)]
    return "postgresql", "\n".join(line for line in lines if line)


if __name__ == "__main__":
    target = Path(sys.argv[1])
    main(target)
    vendor, text = dumped()
    packed = lzma.compress(text.encode(), preset=9 | lzma.PRESET_EXTREME)
    (target / f"former_{vendor}.sql.xz").write_bytes(packed)
