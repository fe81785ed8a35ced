"""A batch does each document once, whatever ends its worker and whoever else is at it."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from invoices.accounting import books
from invoices.bulk import beginning, carrying_out
from invoices.bulk.beginning import BatchRefused
from invoices.invoicing.drafting import void_draft
from invoices.invoicing.issuing import issue
from invoices.invoicing.sending import queue_invoice
from invoices.models import Batch, BatchItem, Client, Invoice, Message
from invoices.outbox import delivering
from tests import crash
from tests.factories import make_client, make_company, make_draft, make_issued, make_user
from tests.race import at_once

pytestmark = pytest.mark.django_db
ON = date(2026, 11, 24)
State, Act = BatchItem.State, Batch.Act


def begun(act=Act.BOTH, *, by=None, rows=None, on=ON):
    chosen = Invoice.objects.all() if rows is None else Invoice.objects.filter(pk__in=rows)
    return beginning.begin(act=act, chosen=chosen, by=by or make_user(), on=on)


def started(*args, **more):
    batch = begun(*args, **more)
    return beginning.start(batch_id=batch.pk, by=batch.created_by)


def run(batch, today=ON, **more):
    return carrying_out.go_on(batch.pk, today=today, **more)


def states(batch):
    return list(batch.items.order_by("position").values_list("state", flat=True))


def reasons(batch, state):
    rows = batch.items.filter(state=state).order_by("position")
    return [each["text"] for row in rows for each in row.reasons]


def drafts(count=3, **client):
    who = make_client(billing_email="pay@client.example", **client)
    return [make_draft(client=who, lines=((1, f"{n}00.00"),)).pk for n in range(1, count + 1)]


def test_what_was_shown_is_done_in_its_order_and_what_cannot_be_is_named_before():
    first, second, third = drafts()
    Invoice.objects.filter(pk=third).update(issue_date=ON - timedelta(days=1))
    bare = make_draft(client=make_client(billing_email="", address_line1="", city="")).pk
    batch = begun()
    assert [item.invoice_id for item in batch.items.all()] == [third, first, second, bare]
    assert states(batch) == [State.WAITING] * 3 + [State.LEFT_OUT]
    assert any("address" in text for text in reasons(batch, State.LEFT_OUT))
    assert not Invoice.objects.issued().exists()
    # Nothing happens before somebody says so, and nothing twice after.
    assert run(batch) == "untouched"
    for _again in range(2):
        beginning.start(batch_id=batch.pk, by=batch.created_by)
    assert run(batch) == Batch.State.DONE and run(batch) == "untouched"
    assert states(batch) == [State.DONE] * 3 + [State.LEFT_OUT]
    numbers = {pk: Invoice.objects.get(pk=pk).number for pk in (third, first, second)}
    assert list(numbers.values()) == ["F-2026-0001", "F-2026-0002", "F-2026-0003"]
    assert Message.objects.count() == 3
    assert {tuple(message.to) for message in Message.objects.all()} == {("pay@client.example",)}
    assert not list(batch.items.filter(state=State.DONE, message=None))


def test_what_changed_since_or_was_done_by_others_is_left_as_it_is():
    changed, issued, gone, kept = drafts(4)
    batch = started()
    Invoice.objects.filter(pk=changed).update(title="Something else")
    issue(invoice_id=issued, by=make_user(name="Maud"), on=ON)
    void_draft(invoice_id=gone, by=None, on=ON)
    run(batch)
    assert states(batch) == [State.FAILED, State.OTHERS, State.OTHERS, State.DONE]
    assert "look again" in reasons(batch, State.FAILED)[0]
    others = reasons(batch, State.OTHERS)
    assert "F-2026-0001 is issued already, by Maud" in others[0] and "discarded" in others[1]
    assert Invoice.objects.get(pk=kept).number == "F-2026-0002"
    assert Message.objects.count() == 1


def test_issued_ones_are_sent_once_and_those_without_an_address_are_named():
    who = make_client(billing_email="pay@client.example")
    first, second = (make_issued(client=who) for _ in range(2))
    nobody = make_issued(client=make_client(billing_email=""))
    Invoice.objects.filter(pk=nobody.pk).update(recipients=[])
    draft = make_draft(client=who)
    batch = started(Act.SEND)
    assert states(batch) == [State.WAITING] * 2 + [State.LEFT_OUT] * 2
    texts = reasons(batch, State.LEFT_OUT)
    assert "billing email" in texts[0] and "once it is issued" in texts[1]
    queue_invoice(invoice_id=second.pk, by=make_user(name="Maud"), on=ON)
    run(batch)
    assert states(batch)[:2] == [State.DONE, State.OTHERS]
    assert "Maud sent it meanwhile" in reasons(batch, State.OTHERS)[0]
    assert [message.invoice_id for message in Message.objects.order_by("pk")] == [
        second.pk, first.pk,
    ]  # fmt: skip
    assert draft.is_draft


def test_it_stops_between_two_and_goes_on_where_it_was(monkeypatch):
    drafts(3)
    batch = started(Act.ISSUE)
    do, done = carrying_out.carry_out_item, []

    def one(*args):
        done.append(do(*args))
        if len(done) == 1:
            beginning.stop(batch_id=batch.pk)

    monkeypatch.setattr(carrying_out, "carry_out_item", one)
    assert run(batch) == Batch.State.STOPPED
    assert states(batch) == [State.DONE, State.WAITING, State.WAITING]
    beginning.resume(batch_id=batch.pk, by=batch.created_by, on=ON)
    assert run(batch) == Batch.State.DONE
    assert states(batch) == [State.DONE] * 3
    assert not Message.objects.exists()


def test_on_another_day_it_is_looked_through_again_and_waits_for_a_word():
    drafts(2)
    batch = started(Act.ISSUE)
    later = ON + timedelta(days=3)
    assert run(batch, later) == Batch.State.STOPPED
    Client.objects.update(address_line1="", city="")
    beginning.resume(batch_id=batch.pk, by=batch.created_by, on=later)
    assert run(batch, later) == Batch.State.READY
    assert states(batch) == [State.LEFT_OUT] * 2
    with pytest.raises(BatchRefused):
        beginning.start(batch_id=batch.pk, by=batch.created_by)


def test_nobody_who_may_not_issue_any_more_answers_for_a_batch():
    drafts(1)
    batch = started(Act.ISSUE)
    type(batch.started_by).objects.update(is_active=False)
    assert run(batch) == Batch.State.STOPPED
    assert states(batch) == [State.WAITING]


def test_a_fault_at_one_is_told_and_the_others_go_on(monkeypatch):
    first, _second = drafts(2)
    batch = started(Act.ISSUE)
    whole = carrying_out.issue

    def odd(*, invoice_id, **more):
        if invoice_id == first:
            whole(invoice_id=invoice_id, **more)
            raise RuntimeError("odd")
        return whole(invoice_id=invoice_id, **more)

    monkeypatch.setattr(carrying_out, "issue", odd)
    assert run(batch) == Batch.State.DONE
    assert states(batch) == [State.FAILED, State.DONE]
    assert list(Invoice.objects.issued().values_list("number", flat=True)) == ["F-2026-0001"]


def test_nothing_and_too_much_are_refused(monkeypatch):
    with pytest.raises(BatchRefused, match="Nothing was chosen"):
        begun()
    drafts(2)
    monkeypatch.setattr(beginning, "MOST", 1)
    with pytest.raises(BatchRefused, match="narrow the list"):
        begun()


@pytest.mark.django_db(transaction=True)
def test_two_batches_of_the_same_drafts_with_two_workers_each_issue_every_one_once():
    drafts(4)
    first, second = started(), started(Act.ISSUE)
    found = at_once(*(lambda b=batch: run(b) for batch in (first, first, second, second)))
    assert not [each for each in found if isinstance(each, Exception)], found
    # A worker whose batch was held by another one comes again.
    for batch in (first, second):
        run(batch)
    assert all(Batch.objects.get(pk=b.pk).state == Batch.State.DONE for b in (first, second))
    numbers = sorted(Invoice.objects.issued().values_list("number", flat=True))
    assert numbers == [f"F-2026-000{n}" for n in range(1, 5)]
    for ours, theirs in zip(states(first), states(second), strict=True):
        assert {ours, theirs} == {State.DONE, State.OTHERS}
    assert Message.objects.count() == states(first).count(State.DONE)
    assert not books.verify()


@pytest.mark.django_db(transaction=True)
def test_killed_at_any_statement_it_goes_on_without_a_second_number_or_mail(postbox):
    make_company()
    drafts(1)
    batch = started()
    ends = crash.run("batch", batch.pk)
    assert len(ends) > 15 and ends[-1][1].startswith("done"), ends[-1]
    for _n, _end, seen in ends:
        issued, items, mails, numbers = map(int, seen.split("/"))
        assert issued == items == mails == numbers
    assert states(batch) == [State.DONE]
    assert delivering.sweep() == {"sent": 1}
    assert len(postbox.mails) == 1
