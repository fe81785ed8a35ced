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


def run(act, *arguments, **more):
    """The ends of one child per line of its parent's report: [(n, "killed" | "done: …")]."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.crash", act, *map(str, arguments)],
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


def rehearse(act):
    """Act once and undo it: fonts, templates and locales are then there, not read by each child."""
    from django.db import transaction

    with transaction.atomic():
        act()
        transaction.set_rollback(True)


def at_every_statement(act, look, limit=200, *, can_be_undone=True):
    """Fork, act, die at statement 1, 2, 3 …; after each, `look` says what is left."""
    from django.db import connection, connections

    if can_be_undone:
        rehearse(act)
    for n in range(1, limit):
        connections.close_all()

        def work(n=n):
            with connection.execute_wrapper(DiesAt(n)):
                return act()

        end = in_child(work)
        print(n, end, look(), sep="\t", flush=True)
        if end != "killed":
            return


def main(act, *arguments):
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "billing_portal.settings_for_tools")
    import django

    django.setup()
    from datetime import date

    from moneyed import Money

    from invoices.documents.pdf import render
    from invoices.invoicing import crediting, issuing
    from invoices.models import Allocation, Invoice, Message, NumberSeries, Payment
    from invoices.outbox import delivering
    from invoices.payments import recording

    on = date(2026, 11, 24)
    if act == "issue":
        pk = int(arguments[0])

        def issue():
            return issuing.issue(invoice_id=pk, by=None, on=on, send=True).number

        def look():
            row = Invoice.objects.get(pk=pk)
            taken = NumberSeries.objects.filter(next_value__gt=1).count()
            return (
                f"{row.status}/{row.number}/{taken}/{row.documents.count()}/"
                f"{row.messages.count()}/{row.events.exclude(kind='drafted').count()}"
            )

        at_every_statement(issue, look)
    elif act in ("pay", "credit"):
        first, second = map(int, arguments)
        rows = Invoice.objects.filter(pk__in=[first, second]).order_by("pk")

        def pay():
            ten = Money("10", "EUR")
            payment = recording.record_payment(
                client_id=rows[0].client_id,
                amount=Money("25", "EUR"),
                received_on=on,
                reference="R-1",
                method="transfer",
                by=None,
                allocations=[(first, ten), (second, ten)],
            )
            return payment.allocated_minor

        def credit():
            note = crediting.issue_credit_note(
                invoice_id=first, lines=None, reason="x", by=None, on=on, send=True
            )
            return note.number

        def look():
            owed = "/".join(str(row.outstanding_minor) for row in rows.all())
            notes = Invoice.objects.credit_notes().count()
            return f"{owed}/{Payment.objects.count()}/{Allocation.objects.count()}/{notes}"

        at_every_statement(pay if act == "pay" else credit, look)
    elif act in ("refund", "refund back", "write-off back"):
        from invoices.models import Refund
        from invoices.payments import applying, refunding

        row_id = int(arguments[0])
        acts = {
            "refund": lambda: refunding.refund_client(
                client_id=row_id, amount=Money("100", "EUR"), refunded_on=on, reference="R",
                method="transfer", reason="x", by=None, on=on,
            ).pk,
            "refund back": lambda: refunding.take_back_refund(
                refund_id=row_id, reason="x", by=None, on=on
            ).pk,
            "write-off back": lambda: applying.take_back_write_off(
                allocation_id=row_id, reason="x", by=None, on=on
            ).pk,
        }  # fmt: skip

        def look():
            left = "/".join(str(row.outstanding_minor) for row in Invoice.objects.order_by("pk"))
            given = "/".join(str(row.allocated_minor) for row in Payment.objects.order_by("pk"))
            return f"{left} {given} {Allocation.objects.count()} {Refund.objects.count()}"

        at_every_statement(acts[act], look)
    elif act == "issue_killed_in_layout":
        pk = int(arguments[0])
        whole = render._laid_out

        def dies(html, makers):
            whole(html, makers)
            os.kill(os.getpid(), signal.SIGKILL)

        render._laid_out = dies
        print(0, in_child(lambda: issuing.issue(invoice_id=pk, by=None, on=on)), "", sep="\t")
    elif act == "deliver":
        pk = int(arguments[0])

        def look():
            row = Message.objects.get(pk=pk)
            # As if the lease had run out and the moment of the next attempt had come.
            Message.objects.filter(pk=pk).update(claimed_until=None, next_attempt_at=None)
            return row.state

        at_every_statement(lambda: delivering.deliver(pk), look, can_be_undone=False)
    elif act == "alerts":
        from django_q.models import OrmQ

        from reports.alerts import running
        from reports.models import Alert

        def look():
            return f"{Alert.objects.count()}/{Message.objects.count()}/{OrmQ.objects.count()}"

        at_every_statement(lambda: sum(len(f.alerts) for f in running.run(on=on)), look)
    elif act == "worker":
        # One that is killed from outside while it sends.
        print(0, delivering.sweep(), "", sep="\t", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
