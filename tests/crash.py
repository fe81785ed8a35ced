"""Kill -9 at every statement: a child process runs an act and dies at the n-th thing it does.

Run as a program (`python -m tests.crash ACT N …`) against the database of the test, so that nothing
of the test's own process is shared. `n` counts SQL statements; the child dies just before sending
the n-th, and after the last one of them when n is one more.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import date
from functools import lru_cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def environment(**more):
    from django.db import connection

    given = connection.settings_dict
    if connection.vendor == "sqlite":
        url = f"sqlite:///{given['NAME']}"
    else:
        host = given["HOST"] or "127.0.0.1"
        port = given["PORT"] or 5432
        url = f"postgres://{given['USER']}@{host}:{port}/{given['NAME']}"
    return {**os.environ, "DATABASE_URL": url, "DEBUG": "", "LOG_LEVEL": "ERROR", **more}


def run(name, *arguments, **more):
    """The ends of one child per line of its parent's report: [(n, "killed" | "done: …")]."""
    return program("tests.crash", name, *arguments, **more)


def program(module, *arguments, **more):
    done = subprocess.run(
        [sys.executable, "-m", module, *map(str, arguments)],
        cwd=ROOT,
        env=environment(**more),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [tuple(line.split("\t")) for line in done.stdout.splitlines()]


class DiesAt:
    def __init__(self, n):
        self.left = n

    def tick(self):
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def __call__(self, execute, sql, params, many, context):
        self.tick()
        return execute(sql, params, many, context)


def in_child(work):
    """Run `work` in a fork; what it printed as its last word, or "killed"."""
    out, into = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(out)
        word = "done"
        try:
            word = f"done: {work()}"
        except BaseException as trouble:
            word = f"raised: {type(trouble).__name__}: {trouble}"
        os.write(into, word.replace("\n", " ").replace("\t", " ").encode())
        os._exit(0)
    os.close(into)
    said = b""
    while part := os.read(out, 65536):
        said += part
    os.close(out)
    _pid, status = os.waitpid(pid, 0)
    return "killed" if os.WIFSIGNALED(status) else said.decode()


def rehearse(work):
    """Act once and undo it: fonts, templates and locales are then there, not read by each child."""
    from django.db import transaction

    with transaction.atomic():
        work()
        transaction.set_rollback(True)


def at_every_statement(deed, look, limit=200, *, can_be_undone=True, step=1):
    """Fork, act, die at statement 1, 2, 3 … (or every `step`th); `look` says what is left."""
    from django.db import connection, connections

    if can_be_undone:
        rehearse(deed)
    for n in range(1, limit, step):
        connections.close_all()

        def work(n=n):
            with connection.execute_wrapper(DiesAt(n)):
                return deed()

        end = in_child(work)
        print(n, end, look(), sep="\t", flush=True)
        if end != "killed":
            return


ON = date(2026, 11, 24)
ACTS = {}


def act(name):
    """Register what a child does; it imports what it needs, for Django is set up by then."""

    def register(work):
        ACTS[name] = work
        return work

    return register


@act("issue")
def issue(invoice_id):
    from invoices.invoicing import issuing
    from invoices.models import Invoice, NumberSeries

    pk = int(invoice_id)

    def look():
        row = Invoice.objects.get(pk=pk)
        taken = NumberSeries.objects.filter(next_value__gt=1).count()
        return (
            f"{row.status}/{row.number}/{taken}/{row.documents.count()}/"
            f"{row.messages.count()}/{row.events.exclude(kind='drafted').count()}"
        )

    at_every_statement(lambda: issuing.issue(invoice_id=pk, by=None, on=ON, send=True).number, look)


@act("subscription")
def subscription(subscription_id):
    from invoices.models import Invoice, SubscriptionPeriod
    from invoices.subscriptions import making

    pk = int(subscription_id)

    def look():
        periods = SubscriptionPeriod.objects.filter(subscription=pk).count()
        return f"{periods}/{Invoice.objects.count()}"

    # What a child made before it died stays made; the next one goes on from there.
    at_every_statement(lambda: making.make_due(date(2027, 2, 1)).drafted, look, can_be_undone=False)


@act("batch")
def batch(batch_id):
    from invoices.bulk import carrying_out
    from invoices.models import Batch, BatchItem, Invoice, Message, NumberSeries

    pk = int(batch_id)

    def look():
        # As if the hold of the dead worker had run out.
        Batch.objects.filter(pk=pk).update(worker="", claimed_until=None)
        issued = Invoice.objects.issued().count()
        done = BatchItem.objects.filter(batch=pk, state="done").count()
        last = max([series.next_value - 1 for series in NumberSeries.objects.all()], default=0)
        return f"{issued}/{done}/{Message.objects.count()}/{last}"

    at_every_statement(lambda: carrying_out.go_on(pk, today=ON), look, 400, step=5)


def _owed_paid_credited(first, second):
    from invoices.models import Allocation, Invoice, Payment

    rows = Invoice.objects.filter(pk__in=[first, second]).order_by("pk")
    owed = "/".join(str(row.outstanding_minor) for row in rows)
    notes = Invoice.objects.credit_notes().count()
    return f"{owed}/{Payment.objects.count()}/{Allocation.objects.count()}/{notes}"


@act("pay")
def pay(first, second):
    from moneyed import Money

    from invoices.models import Invoice
    from invoices.payments import recording

    ten = Money("10", "EUR")

    def record():
        payment = recording.record_payment(
            client_id=Invoice.objects.get(pk=first).client_id,
            amount=Money("25", "EUR"),
            received_on=ON,
            reference="R-1",
            method="transfer",
            by=None,
            allocations=[(int(first), ten), (int(second), ten)],
        )
        return payment.allocated_minor

    at_every_statement(record, lambda: _owed_paid_credited(first, second))


@act("undo")
def undo(payment_id):
    from invoices.payments import reversing

    def take_back():
        return reversing.undo_payment(payment_id=int(payment_id), by=None).allocated_minor

    at_every_statement(take_back, _left_given_allocated_refunded)


@act("credit")
def credit(first, second):
    from invoices.invoicing import crediting

    def credit_it():
        note = crediting.issue_credit_note(
            invoice_id=int(first), lines=None, reason="x", by=None, on=ON, send=True
        )
        return note.number

    at_every_statement(credit_it, lambda: _owed_paid_credited(first, second))


def _left_given_allocated_refunded():
    from invoices.models import Allocation, Invoice, Payment, Refund

    left = "/".join(str(row.outstanding_minor) for row in Invoice.objects.order_by("pk"))
    given = "/".join(str(row.allocated_minor) for row in Payment.objects.order_by("pk"))
    return f"{left} {given} {Allocation.objects.count()} {Refund.objects.count()}"


@act("refund")
def refund(client_id):
    from moneyed import Money

    from invoices.payments import refunding

    def give_back():
        return refunding.refund_client(
            client_id=int(client_id), amount=Money("100", "EUR"), refunded_on=ON, reference="R",
            method="transfer", reason="x", by=None, on=ON,
        ).pk  # fmt: skip

    at_every_statement(give_back, _left_given_allocated_refunded)


@act("refund back")
def refund_back(refund_id):
    from invoices.payments import refunding

    def take_back():
        return refunding.take_back_refund(refund_id=int(refund_id), reason="x", by=None, on=ON).pk

    at_every_statement(take_back, _left_given_allocated_refunded)


@act("write-off back")
def write_off_back(allocation_id):
    from invoices.payments import applying

    def take_back():
        return applying.take_back_write_off(
            allocation_id=int(allocation_id), reason="x", by=None, on=ON
        ).pk

    at_every_statement(take_back, _left_given_allocated_refunded)


@act("issue_killed_in_layout")
def issue_killed_in_layout(invoice_id):
    from invoices.documents.pdf import render
    from invoices.invoicing import issuing

    whole = render.laid_out

    def dies(html, makers):
        whole(html, makers)
        os.kill(os.getpid(), signal.SIGKILL)

    render.laid_out = dies
    end = in_child(lambda: issuing.issue(invoice_id=int(invoice_id), by=None, on=ON))
    print(0, end, "", sep="\t")


@act("deliver")
def deliver(message_id):
    from invoices.models import Message
    from invoices.outbox import delivering

    pk = int(message_id)

    def look():
        row = Message.objects.get(pk=pk)
        # As if the lease had run out and the moment of the next attempt had come.
        Message.objects.filter(pk=pk).update(claimed_until=None, next_attempt_at=None)
        return row.state

    at_every_statement(lambda: delivering.deliver(pk), look, can_be_undone=False)


@act("alerts")
def alerts():
    from django_q.models import OrmQ

    from invoices.models import Message
    from reports.alerts import running
    from reports.models import Alert

    def look():
        return f"{Alert.objects.count()}/{Message.objects.count()}/{OrmQ.objects.count()}"

    at_every_statement(lambda: sum(len(f.alerts) for f in running.run(on=ON)), look)


@act("worker")
def worker():
    """One that is killed from outside while it sends."""
    from invoices.outbox import delivering

    print(0, delivering.sweep(), "", sep="\t", flush=True)


def _judge_and_lay_out_once():
    """By the rehearsal, for all children: in a fork the judge's thread would begin anew."""
    from invoices.documents.facturx import validators
    from invoices.documents.pdf import render
    from tests import layout

    whole = layout.laid_out_once()
    render.laid_out = lambda html, makers: whole
    validators.failed_assertions = lru_cache(validators.failed_assertions)


def main(name, *arguments):
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "billing_portal.settings_for_tools")
    import django

    django.setup()
    _judge_and_lay_out_once()
    ACTS[name](*arguments)


if __name__ == "__main__":
    main(*sys.argv[1:])
