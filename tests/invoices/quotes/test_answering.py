"""What the client says to a quote: once, in time, to what was read."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

import pytest
from django.db import DatabaseError, transaction

from invoices.models import Message, QuoteAcceptance, QuoteDocument, QuoteEvent
from invoices.models.quotes import State
from invoices.quotes import answering, beginning, drafting, sending
from invoices.quotes.answering import NotOpen, OtherTotal, Signer
from invoices.quotes.refusals import QuoteRefused
from tests.factories import make_client, make_deal, make_user
from tests.invoices.quotes.making import (
    CHOICES,
    GAELLE,
    NOON,
    TODAY,
    accept,
    pick,
    save,
    send_quote,
    write_quote,
)
from tests.race import at_once

pytestmark = pytest.mark.django_db


def test_accepting_keeps_who_when_from_where_what_and_the_page():
    quote = send_quote(lines=CHOICES)
    version = quote.version
    found = accept(quote, pick(version, "200", "300"))
    assert (found.name, found.role, found.ip, found.user_agent) == (
        "Gaëlle Guérin",
        "gérante",
        "203.0.113.9",
        "Firefox",
    )
    assert found.at == NOON
    assert sorted(found.lines.values_list("unit_price", flat=True)) == [200, 300, 1000]
    assert found.total_minor == 1500_00 * 120 // 100
    content = bytes(found.document.content)
    assert content.startswith(b"%PDF")
    assert found.sha256 == hashlib.sha256(content).hexdigest() == found.document.sha256
    version.refresh_from_db()
    assert version.status == State.ACCEPTED
    # What was sent stays what it was, with what was ticked then.
    assert version.total_minor == 1450_00 * 120 // 100


def test_a_second_acceptance_is_the_first_one():
    quote = send_quote()
    first = accept(quote)
    again = accept(quote, signer=Signer("Somebody Else"))
    assert again.pk == first.pk
    assert again.name == "Gaëlle Guérin"
    assert QuoteAcceptance.objects.count() == 1
    assert QuoteDocument.objects.filter(kind="accepted").count() == 1
    assert quote.events.filter(kind=QuoteEvent.Kind.ACCEPTED).count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_who_accept_at_once_one_does_and_the_other_sees_it():
    quote = send_quote()
    found = at_once(*(lambda n=n: accept(quote, signer=Signer(f"Person {n}")) for n in range(4)))
    assert {each.pk for each in found} == {QuoteAcceptance.objects.get().pk}
    assert quote.events.filter(kind=QuoteEvent.Kind.ACCEPTED).count() == 1
    assert Message.objects.filter(kind="quote_accepted").count() == 1


@pytest.mark.django_db(transaction=True)
def test_accepting_and_withdrawing_at_once_leaves_one_of_the_two():
    quote = send_quote()
    at_once(
        lambda: accept(quote),
        lambda: sending.withdraw(quote_id=quote.pk, reason="", by=None, on=TODAY),
    )
    quote.version.refresh_from_db()
    is_accepted = QuoteAcceptance.objects.filter(quote=quote).exists()
    assert quote.version.status == (State.ACCEPTED if is_accepted else State.WITHDRAWN)


def test_it_is_accepted_on_its_last_day_and_not_on_the_next():
    late = datetime(2026, 12, 24, 22, 30, tzinfo=UTC)  # 23:30 in Paris
    quote = send_quote()
    assert quote.version.valid_until == TODAY + timedelta(days=30) == late.date()
    other = send_quote()
    assert accept(quote, at=late)
    with pytest.raises(NotOpen):
        accept(other, at=late + timedelta(hours=1))
    assert not QuoteAcceptance.objects.filter(quote=other).exists()


def test_another_total_than_was_read_is_refused_with_both():
    quote = send_quote()
    with pytest.raises(OtherTotal, match=r"€1,199\.99.*€1,200\.00"):
        answering.accept(
            version_id=quote.version_id, picked=(), read_minor=1199_99, signer=GAELLE, at=NOON
        )
    assert not QuoteAcceptance.objects.exists()


def test_a_withdrawn_or_replaced_version_is_not_accepted():
    withdrawn = send_quote()
    sending.withdraw(quote_id=withdrawn.pk, reason="dear", by=None, on=TODAY)
    with pytest.raises(NotOpen):
        accept(withdrawn)
    replaced = send_quote()
    old = replaced.version
    newer = beginning.new_version(quote_id=replaced.pk, by=None, on=TODAY)
    # While the new one is written, the old one is still good.
    assert old.is_open(TODAY)
    sending.send(version_id=newer.pk, recipients=[], by=None, on=TODAY)
    with pytest.raises(NotOpen):
        answering.accept(version_id=old.pk, picked=(), read_minor=None, signer=GAELLE, at=NOON)
    old.refresh_from_db()
    assert old.status == State.REPLACED


def test_a_new_version_of_what_was_accepted_meanwhile_is_not_sent():
    quote = send_quote()
    newer = beginning.new_version(quote_id=quote.pk, by=None, on=TODAY)
    accept(quote)
    with pytest.raises(QuoteRefused, match="Gaëlle Guérin accepted version 1"):
        sending.send(version_id=newer.pk, recipients=[], by=None, on=TODAY)


def test_no_form_takes_two_alternatives_none_or_a_line_of_another_quote():
    quote, other = send_quote(lines=CHOICES), send_quote(lines=CHOICES)
    both = pick(quote.version, "300", "400")
    foreign = set(other.version.lines.values_list("pk", flat=True))
    found = accept(quote, both | foreign)
    assert sorted(found.lines.values_list("unit_price", flat=True)) == [300, 1000]
    none = accept(other, ())
    assert sorted(none.lines.values_list("unit_price", flat=True)) == [400, 1000]


def test_declining_keeps_the_reason_and_may_be_taken_back_until_it_expires():
    quote = send_quote()
    answering.decline(version_id=quote.version_id, reason="price", text="Too dear", at=NOON)
    quote.version.refresh_from_db()
    version = quote.version
    assert (version.status, version.decline_reason, version.decline_words) == (
        State.DECLINED,
        "price",
        "Too dear",
    )
    # Said twice it is said once.
    answering.decline(version_id=version.pk, reason="other", text="", at=NOON)
    assert quote.events.filter(kind=QuoteEvent.Kind.DECLINED).count() == 1
    with pytest.raises(NotOpen):
        answering.reconsider(version_id=version.pk, at=NOON + timedelta(days=40))
    answering.reconsider(version_id=version.pk, at=NOON + timedelta(days=1))
    assert accept(quote, at=NOON + timedelta(days=2)).name == "Gaëlle Guérin"


def test_declining_wants_one_of_the_reasons():
    quote = send_quote()
    with pytest.raises(QuoteRefused):
        answering.decline(version_id=quote.version_id, reason="x", text="", at=NOON)


def test_a_new_version_is_asked_for_once_a_day_and_only_of_one_that_is_over():
    quote = send_quote()
    with pytest.raises(NotOpen):
        answering.ask_again(version_id=quote.version_id, at=NOON)
    late = NOON + timedelta(days=40)
    assert answering.ask_again(version_id=quote.version_id, at=late)
    assert not answering.ask_again(version_id=quote.version_id, at=late)
    assert quote.events.filter(kind=QuoteEvent.Kind.ASKED).count() == 1


def test_the_salesperson_hears_the_answer_and_the_company_where_there_is_none():
    seller = make_user(email="theo@kerlann.example", role="sales", language="fr")
    quote = send_quote(client=make_client(owner=seller))
    accept(quote)
    mail = Message.objects.get(kind="quote_answer")
    assert mail.to == ["theo@kerlann.example"]
    assert mail.language == "fr"
    nobodys = send_quote()
    answering.decline(version_id=nobodys.version_id, reason="price", text="", at=NOON)
    assert Message.objects.filter(kind="quote_answer").latest("pk").to == [
        "billing@kerlann.example"
    ]


def test_an_agreement_on_paper_has_its_witness():
    quote = send_quote()
    clerk = make_user(name="Maëlle Kervadec")
    found = accept(quote, recorded_by=clerk, signer=Signer("Gaëlle Guérin"))
    assert (found.via, found.recorded_by, found.ip) == ("paper", clerk, None)
    assert quote.events.get(kind=QuoteEvent.Kind.ACCEPTED).by == clerk


def test_opening_is_noted_once_an_hour_and_never_of_what_is_answered():
    quote = send_quote()
    for minutes in (0, 5, 59):
        answering.seen(version_id=quote.version_id, at=NOON + timedelta(minutes=minutes))
    quote.version.refresh_from_db()
    assert quote.version.viewed_at == NOON
    assert quote.events.filter(kind=QuoteEvent.Kind.VIEWED).count() == 1
    accept(quote)
    answering.seen(version_id=quote.version_id, at=NOON + timedelta(days=1))
    assert quote.events.filter(kind=QuoteEvent.Kind.VIEWED).count() == 1


def _refused(act):
    with pytest.raises(DatabaseError), transaction.atomic():
        act()


def test_the_database_keeps_an_offer_its_files_and_its_acceptance_as_they_were():
    quote = send_quote(lines=CHOICES)
    version, line = quote.version, quote.version.lines.first()
    _refused(lambda: type(version).objects.filter(pk=version.pk).update(total_minor=1, net_minor=1))
    _refused(lambda: type(version).objects.filter(pk=version.pk).update(valid_until=TODAY))
    _refused(lambda: type(line).objects.filter(pk=line.pk).update(unit_price=1))
    _refused(line.delete)
    found = accept(quote)
    _refused(lambda: QuoteAcceptance.objects.filter(pk=found.pk).update(name="Other"))
    _refused(lambda: QuoteDocument.objects.update(content=b""))
    _refused(lambda: QuoteEvent.objects.update(kind="sent"))


def test_a_draft_is_changed_freely_and_what_was_sent_is_not():
    quote = write_quote()
    save(quote.version, CHOICES)
    sending.send(version_id=quote.version_id, recipients=[], by=None, on=TODAY)
    with pytest.raises(QuoteRefused, match="make a new version"):
        drafting.save_version(version_id=quote.version_id, header={}, lines=[], by=None)


def test_a_won_deal_with_an_accepted_quote_is_billed_by_the_quote():
    from invoices.deals.drafting import draft_from_deal
    from invoices.invoicing.drafting import DraftRefused

    deal = make_deal()
    quote = send_quote(deal=deal)
    accept(quote)
    with pytest.raises(DraftRefused, match=quote.number):
        draft_from_deal(deal_id=deal.pk, by=None, on=TODAY)
