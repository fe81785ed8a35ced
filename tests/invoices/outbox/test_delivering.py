"""The outbox, against a real mail server on this machine, and a worker killed while it sends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from datetime import date, timedelta

import pytest
from django.core.mail.backends.base import BaseEmailBackend
from django.core.management import call_command
from django.db import transaction
from django.utils import timezone
from django_q.models import OrmQ, Schedule

from invoices.invoicing import sending
from invoices.models import Invoice, InvoiceEvent, Message
from invoices.outbox import delivering, settling_doubts
from invoices.outbox.kinds import words_of
from invoices.outbox.mail_server import Line
from invoices.outbox.queueing import MailRefused
from invoices.tasks import deliver_message, sweep_mail
from tests import crash
from tests.factories import make_client, make_company, make_draft, make_invoice, make_issued
from tests.invoices.outbox.doing import due_now, fresh, queued
from tests.postbox import smtp_environment, wait_until
from tests.race import at_once

ON = date(2026, 11, 24)


# ─ Into the outbox ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.django_db
def test_one_reason_is_one_mail():
    first, second = queued(), queued(subject="Other")
    assert first == second
    assert second.subject == "Late again"
    assert OrmQ.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_one_reason_given_by_four_workers_at_once_is_one_mail():
    found = at_once(*[queued] * 4)
    assert {getattr(one, "pk", one) for one in found} == {Message.objects.get().pk}


@pytest.mark.django_db(transaction=True)
def test_a_mail_queued_in_a_transaction_that_fails_never_was():
    class Failed(Exception):
        pass

    with pytest.raises(Failed), transaction.atomic():
        queued()
        raise Failed
    assert not Message.objects.exists()
    assert not OrmQ.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"to": []}, "who receives"),
        ({"to": ["nobody"]}, "“nobody” is not an email address"),
        ({"to": ["a@b.example\r\nBcc: x@y.example"]}, "not an email address"),
        ({"to": ["a@b.example"], "cc": ["c"]}, "not an email address"),
        ({"to": [f"a{n}@b.example" for n in range(21)]}, "At most 20"),
        ({"body_text": "x" * 300_000}, "too long"),
    ],
)
def test_a_mail_that_cannot_be_sent_is_refused_in_words(fields, words):
    with pytest.raises(MailRefused, match=words):
        queued(**fields)
    assert not Message.objects.exists()


@pytest.mark.django_db
def test_a_draft_and_an_imported_invoice_have_nothing_to_send():
    make_company()
    with pytest.raises(MailRefused, match="issue it first"):
        sending.queue_invoice(invoice_id=make_draft().pk, by=None)
    with pytest.raises(MailRefused, match="older system"):
        sending.queue_invoice(invoice_id=make_invoice().pk, by=None)


@pytest.mark.django_db
def test_an_invoice_clicked_twice_is_one_mail_and_sent_again_is_two(clerk):
    invoice = make_issued()
    first = sending.queue_invoice(invoice_id=invoice.pk, by=clerk, on=ON)
    assert sending.queue_invoice(invoice_id=invoice.pk, by=clerk, on=ON) == first
    assert first.created_by == clerk
    assert delivering.deliver(first.pk) == "sent"
    assert sending.queue_invoice(invoice_id=invoice.pk, by=clerk, on=ON) != first


# ─ Out of it ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.django_db
def test_two_people_who_send_an_invoice_at_once_send_one_mail(clerk, postbox):
    invoice = make_issued()
    first = sending.queue_invoice(invoice_id=invoice.pk, by=clerk, seen=0)
    delivering.deliver(first.pk)
    with pytest.raises(MailRefused, match="somebody else meanwhile"):
        sending.queue_invoice(invoice_id=invoice.pk, by=clerk, seen=0)
    assert sending.queue_invoice(invoice_id=invoice.pk, by=clerk, seen=1) != first


@pytest.mark.django_db
def test_an_invoice_arrives_once_with_its_pdf(postbox):
    client = make_client(billing_email="compta@client.example")
    invoice = make_issued(client=client, title="Refonte « lot 2 »")
    message = sending.queue_invoice(
        invoice_id=invoice.pk, recipients=["compta@client.example", "chef@client.example"], by=None
    )
    assert deliver_message(message.pk) == "sent"
    assert deliver_message(message.pk) == "untouched"
    assert sweep_mail() == {}
    (got,) = postbox.mails
    assert postbox.envelopes == [["compta@client.example", "chef@client.example"]]
    assert got["Subject"] == f"Facture {invoice.number} – Kerlann Conseil"
    assert got["From"] == "Kerlann Conseil <billing@kerlann.example>"
    assert got["Reply-To"] == "billing@kerlann.example"
    assert got["Message-ID"] == message.mail_id
    assert message.mail_id.endswith("@kerlann.example>")
    assert "1 200,00 €" in got.get_body(("plain",)).get_content().replace("\u202f", " ").replace(
        "\xa0", " "
    )
    assert "Refonte « lot 2 »" in got.get_body(("html",)).get_content()
    (attachment,) = got.iter_attachments()
    assert attachment.get_filename() == f"Facture-{invoice.number}.pdf"
    assert attachment.get_content() == bytes(invoice.documents.get(kind="pdf").content)
    row = fresh(invoice)
    assert row.sent_at is not None
    event = invoice.events.get(kind=InvoiceEvent.Kind.SENT)
    assert event.data["to"] == ["compta@client.example", "chef@client.example"]


@pytest.mark.django_db
def test_markup_in_a_title_is_text_in_the_mail(postbox):
    invoice = make_issued(title="<script>alert(1)</script> & {{ 7|add:7 }}")
    delivering.deliver(sending.queue_invoice(invoice_id=invoice.pk, by=None).pk)
    (got,) = postbox.mails
    assert "<script>" not in got.get_body(("html",)).get_content()
    assert "<script>alert(1)</script> & {{ 7|add:7 }}" in got.get_body(("plain",)).get_content()


@pytest.mark.django_db
def test_lines_that_begin_with_a_dot_arrive_as_written(postbox):
    delivering.deliver(queued().pk)
    assert postbox.mails[0].get_content().replace("\r\n", "\n") == "Hello\n.\n.. two dots\n"


@pytest.mark.django_db
def test_a_line_break_in_a_subject_begins_no_header(postbox):
    delivering.deliver(queued(subject="Hello\r\nBcc: x@y.example").pk)
    assert postbox.mails[0]["Bcc"] is None
    assert postbox.mails[0]["Subject"] == "Hello Bcc: x@y.example"


@pytest.mark.django_db
def test_a_header_that_went_around_the_outbox_is_refused_not_sent(postbox):
    message = queued()
    Message.objects.filter(pk=message.pk).update(subject="Hello\nBcc: x@y.example")
    assert delivering.deliver(message.pk) == "failed"
    assert postbox.mails == []


@pytest.mark.django_db
@pytest.mark.parametrize(
    "trouble",
    [
        {"on_mail": "451 Try later"},
        {"on_mail": "421 Too busy"},
        {"on_mail": "hang up"},
        {"on_data": "452 Disk full"},
        {"on_rcpt": {"a@client.example": "450 Greylisted"}},
    ],
)
def test_what_is_refused_for_now_is_tried_later_with_growing_pauses(postbox, trouble):
    message = queued()
    postbox.__dict__.update(trouble)
    pauses = []
    for attempt in range(1, 4):
        assert delivering.deliver(message.pk) == "queued"
        row = fresh(message)
        assert (row.attempts, row.claimed_until) == (attempt, None)
        assert row.error
        pauses.append(row.next_attempt_at - timezone.now())
        assert delivering.deliver(message.pk) == "untouched"
        due_now(message)
    assert pauses[0] < pauses[1] < pauses[2]
    assert timedelta(seconds=40) < pauses[0] < timedelta(seconds=75)
    postbox.on_mail = postbox.on_data = None
    postbox.on_rcpt = {}
    assert delivering.sweep() == {"sent": 1}
    assert len(postbox.mails) == 1


@pytest.mark.django_db
def test_no_server_at_all_is_tried_later(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    message = queued()
    assert delivering.deliver(message.pk) == "queued"
    assert "refused" in fresh(message).error


@pytest.mark.django_db
def test_a_sweep_leaves_a_server_that_takes_nothing_in_peace(postbox):
    for n in range(10):
        queued(reason_key=f"test:{n}")
    postbox.on_mail = "421 Too busy"
    assert delivering.sweep() == {"queued": 3}
    postbox.on_mail = None
    assert delivering.sweep() == {"sent": 7}


@pytest.mark.django_db
@pytest.mark.parametrize(
    "trouble",
    [
        {"on_data": "554 Looks like spam"},
        {"on_rcpt": {"a@client.example": "550 No such user"}},
    ],
)
def test_what_is_refused_for_good_says_so_in_the_servers_words(postbox, trouble):
    invoice = make_issued()
    message = sending.queue_invoice(invoice_id=invoice.pk, recipients=["a@client.example"], by=None)
    postbox.__dict__.update(trouble)
    assert delivering.deliver(message.pk) == "failed"
    words = next(iter(trouble.values()))
    words = words if isinstance(words, str) else words["a@client.example"]
    assert words in fresh(message).error
    event = invoice.events.get(kind=InvoiceEvent.Kind.SEND_FAILED)
    assert words in event.data["error"]
    assert postbox.mails == []
    assert delivering.sweep() == {}


@pytest.mark.django_db
def test_one_bad_address_does_not_keep_the_others_waiting(postbox):
    invoice = make_issued()
    message = sending.queue_invoice(
        invoice_id=invoice.pk, recipients=["a@client.example", "gone@client.example"], by=None
    )
    postbox.on_rcpt = {"gone@client.example": "550 No such user"}
    assert delivering.deliver(message.pk) == "sent"
    assert postbox.envelopes == [["a@client.example"]]
    assert "gone@client.example: 550" in fresh(message).error
    assert invoice.events.get(kind="sent").data["refused"]


@pytest.mark.django_db
def test_after_many_attempts_it_gives_up(postbox):
    message = queued()
    postbox.on_mail = "451 Try later"
    for _ in range(delivering.MAX_ATTEMPTS):
        state = delivering.deliver(message.pk)
        due_now(message)
    assert state == "failed"
    assert fresh(message).attempts == delivering.MAX_ATTEMPTS


# ─ Handed over, not confirmed ───────────────────────────────────────────────────────────────────


@pytest.mark.django_db
def test_a_line_that_breaks_after_the_text_waits_for_staff(postbox, clerk):
    invoice = make_issued()
    message = sending.queue_invoice(invoice_id=invoice.pk, by=None)
    postbox.on_data = "take and hang up"
    assert delivering.deliver(message.pk) == "sending"
    due_now(message)
    assert delivering.sweep() == {}
    assert delivering.deliver(message.pk) == "untouched"
    assert len(postbox.mails) == 1
    confirmed = settling_doubts.confirm_arrived(message_id=message.pk, by=clerk)
    assert confirmed.state == "sent"
    assert invoice.events.get(kind="sent").by == clerk
    assert fresh(invoice).sent_at is not None
    with pytest.raises(MailRefused, match="not waiting"):
        settling_doubts.confirm_arrived(message_id=message.pk, by=clerk)


@pytest.mark.django_db
def test_staff_may_send_it_again_with_the_same_message_id(postbox, clerk):
    message = queued()
    postbox.on_data = "take and hang up"
    delivering.deliver(message.pk)
    postbox.on_data = None
    assert settling_doubts.resend(message_id=message.pk, by=clerk) == message
    assert delivering.sweep() == {"sent": 1}
    assert [got["Message-ID"] for got in postbox.mails] == [message.mail_id] * 2


@pytest.mark.django_db
def test_a_mail_that_was_sent_is_sent_again_as_another(postbox, clerk):
    invoice = make_issued()
    message = sending.queue_invoice(invoice_id=invoice.pk, by=None)
    delivering.deliver(message.pk)
    second = settling_doubts.resend(message_id=message.pk, by=clerk)
    assert second.pk != message.pk
    third = settling_doubts.resend(message_id=message.pk, by=clerk)
    assert third.pk not in (message.pk, second.pk)
    assert delivering.sweep() == {"sent": 2}
    assert all(len(list(got.iter_attachments())) == 1 for got in postbox.mails)


@pytest.mark.django_db
def test_a_refused_mail_is_sent_again_after_its_address_was_mended(postbox, clerk):
    message = queued()
    postbox.on_rcpt = {"a@client.example": "550 No such user"}
    delivering.deliver(message.pk)
    postbox.on_rcpt = {}
    again = settling_doubts.resend(message_id=message.pk, by=clerk)
    assert (again.pk, again.state, again.error, again.attempts) == (message.pk, "queued", "", 0)
    assert delivering.deliver(message.pk) == "sent"


@pytest.mark.django_db
def test_a_waiting_mail_can_be_cancelled_and_a_sent_one_not(postbox, clerk):
    message = queued()
    settling_doubts.cancel(message_id=message.pk, by=clerk)
    assert delivering.deliver(message.pk) == "untouched"
    other = queued(reason_key="test:2")
    delivering.deliver(other.pk)
    with pytest.raises(MailRefused, match="not left"):
        settling_doubts.cancel(message_id=other.pk, by=clerk)
    with pytest.raises(MailRefused, match="no longer"):
        settling_doubts.cancel(message_id=0, by=clerk)


# ─ Many workers, and killed ones ────────────────────────────────────────────────────────────────


@pytest.mark.django_db(transaction=True)
def test_four_workers_at_once_send_one_mail(postbox):
    message = queued()
    found = at_once(*[lambda: delivering.deliver(message.pk)] * 4)
    assert sorted(found) == ["sent", "untouched", "untouched", "untouched"]
    assert len(postbox.mails) == 1


@pytest.mark.django_db(transaction=True)
def test_four_sweeps_at_once_send_each_mail_once(postbox):
    for n in range(6):
        queued(reason_key=f"test:{n}", subject=f"Mail {n}")
    at_once(*[delivering.sweep] * 4)
    assert sorted(got["Subject"] for got in postbox.mails) == [f"Mail {n}" for n in range(6)]


@pytest.mark.django_db(transaction=True)
def test_a_worker_whose_lease_ran_out_sends_nothing_any_more(postbox):
    message = queued()
    claimed = delivering._claim(message.pk)
    due_now(message)
    assert delivering.deliver(message.pk) == "sent"
    with pytest.raises(delivering._Lost):
        words = words_of(claimed)
        with Line() as line:
            delivering._send(claimed, words, delivering._built(claimed, words), line)
    assert len(postbox.mails) == 1


@pytest.mark.django_db(transaction=True)
def test_killed_at_any_statement_a_mail_arrives_once_or_its_row_says_so(postbox):
    invoice = make_issued()
    message = sending.queue_invoice(invoice_id=invoice.pk, by=None)
    states = crash.run("deliver", message.pk, **smtp_environment(postbox))
    # Every attempt was killed one statement later: while the row waits nothing arrived, and the
    # first that got past the mark is the last that anybody made.
    assert states[0][1:] == ("killed", "queued")
    marked = [end for end in states if end[2] == "sending"]
    assert marked
    assert all(end[2] != "sent" for end in states)
    assert len(postbox.mails) == 1
    assert fresh(message).state == "sending"
    settling_doubts.confirm_arrived(message_id=message.pk, by=None)
    assert invoice.events.filter(kind="sent").count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_while_the_server_reads_leaves_a_row_for_staff(postbox):
    message = queued()
    postbox.hold, postbox.holding = threading.Event(), threading.Event()
    worker = subprocess.Popen(
        [sys.executable, "-m", "tests.crash", "worker"],
        cwd=crash.ROOT,
        env=crash.environment(**smtp_environment(postbox)),
        stdout=subprocess.DEVNULL,
    )
    try:
        assert postbox.holding.wait(30)
        worker.send_signal(signal.SIGKILL)
    finally:
        worker.kill()
        worker.wait()
        postbox.hold.set()
    row = fresh(message)
    assert row.state == "sending"
    due_now(message)
    assert delivering.sweep() == {}
    assert len(postbox.mails) == 1


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_real_cluster_killed_whole_loses_and_doubles_nothing(postbox):
    """All processes of qcluster are killed while they send; the sweep of another goes on."""
    count = 12
    for n in range(count):
        queued(reason_key=f"test:{n}", subject=f"Mail {n}")
    environment = crash.environment(**smtp_environment(postbox), WORKERS="2")

    def cluster():
        return subprocess.Popen(
            [sys.executable, "manage.py", "qcluster"],
            cwd=crash.ROOT,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    first = cluster()
    try:
        wait_until(lambda: len(postbox.mails) >= 3)
    finally:
        os.killpg(first.pid, signal.SIGKILL)
        first.wait()
    # The leases of the dead run out; their tasks are lost or not, the sweep asks the table.
    Message.objects.filter(state="queued").update(claimed_until=None)
    OrmQ.objects.all().delete()
    delivering.sweep()
    states = list(Message.objects.values_list("state", flat=True))
    assert states.count("sent") + states.count("sending") == count
    subjects = sorted(got["Subject"] for got in postbox.mails)
    assert len(subjects) == len(set(subjects))
    arrived = set(subjects)
    for message in Message.objects.filter(state="sent"):
        assert message.subject in arrived


@pytest.mark.django_db
def test_a_crash_counts_as_an_attempt_so_that_a_poisoned_mail_ends():
    message = queued()
    Message.objects.filter(pk=message.pk).update(attempts=delivering.MAX_ATTEMPTS)
    assert delivering.deliver(message.pk) == "untouched"
    assert fresh(message).state == "failed"


@pytest.mark.django_db
@pytest.mark.parametrize("decide", [settling_doubts.confirm_arrived, settling_doubts.resend])
def test_nobody_decides_while_a_worker_is_still_sending(decide, clerk):
    message = queued()
    Message.objects.filter(pk=message.pk).update(
        state="sending", claimed_until=timezone.now() + timedelta(minutes=1)
    )
    with pytest.raises(MailRefused, match="right now"):
        decide(message_id=message.pk, by=clerk)


@pytest.mark.django_db
def test_a_waiting_mail_may_be_hurried(postbox, clerk):
    message = queued()
    postbox.on_mail = "451 Try later"
    delivering.deliver(message.pk)
    postbox.on_mail = None
    assert delivering.deliver(message.pk) == "untouched"
    settling_doubts.resend(message_id=message.pk, by=clerk)
    assert delivering.deliver(message.pk) == "sent"


class Provider(BaseEmailBackend):
    """What a provider's API answers, as django-anymail tells it."""

    answer = None

    def send_messages(self, messages):
        trouble = ValueError("no")
        if self.answer:
            trouble.status_code = self.answer
        raise trouble


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("answer", "state"),
    [(400, "failed"), (401, "queued"), (429, "queued"), (503, "queued"), (None, "sending")],
)
def test_the_answer_of_a_mail_provider_decides(settings, monkeypatch, answer, state):
    settings.EMAIL_BACKEND = f"{__name__}.Provider"
    monkeypatch.setattr(Provider, "answer", answer)
    assert delivering.deliver(queued().pk) == state


@pytest.mark.django_db
@pytest.mark.parametrize(("language", "rest"), [("fr", "Reste à payer"), ("en", "Still to pay")])
def test_the_mail_of_a_part_paid_invoice_asks_for_the_rest(language, rest):
    from moneyed import Money

    from invoices.payments.recording import record_payment

    invoice = make_issued(language=language)
    mail = Message(kind=sending.KIND, invoice=invoice, language=language)
    assert rest not in words_of(mail).text
    for amount, reference in ((200, "1"), (1000, "2")):
        record_payment(
            client_id=invoice.client_id,
            amount=Money(amount, "EUR"),
            received_on=ON,
            reference=reference,
            method="transfer",
            by=None,
            allocations=[(invoice.pk, Money(amount, "EUR"))],
        )
        words = words_of(mail)
        assert [rest in words.text, rest in words.html] == [amount == 200] * 2
    assert "30006" not in words.text.replace(" ", "")


# ─ Schedules ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.django_db
def test_schedules_match_the_list_by_name_and_nothing_runs_anew(capsys):
    call_command("sync_schedules")
    sweep = Schedule.objects.get(func="invoices.tasks.sweep_mail")
    assert (sweep.schedule_type, sweep.minutes, sweep.repeats) == ("I", 1, -1)
    later = timezone.now() + timedelta(hours=3)
    Schedule.objects.filter(pk=sweep.pk).update(next_run=later)
    Schedule.objects.create(name="Gone", func="invoices.tasks.sweep_mail")
    Schedule.objects.create(name=sweep.name, func="invoices.tasks.sweep_mail")
    call_command("sync_schedules", dry_run=True)
    assert Schedule.objects.filter(name="Gone").exists()
    call_command("sync_schedules")
    assert "2 removed" in capsys.readouterr().out.splitlines()[-1]
    assert Schedule.objects.get(name=sweep.name).next_run == later
    Schedule.objects.filter(pk=sweep.pk).update(minutes=30, func="invoices.tasks.other")
    call_command("sync_schedules")
    row = Schedule.objects.get(pk=sweep.pk)
    assert (row.minutes, row.func) == (1, "invoices.tasks.sweep_mail")


@pytest.mark.django_db
def test_an_invoice_is_marked_sent_only_by_its_own_mail():
    invoice = make_issued()
    delivering.deliver(queued(invoice=invoice, kind="reminder").pk)
    assert Invoice.objects.get(pk=invoice.pk).sent_at is None
