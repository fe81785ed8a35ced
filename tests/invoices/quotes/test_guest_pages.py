"""The client's page: what a holder of the link may do, and what nobody may."""

from __future__ import annotations

import logging
import re
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.test import Client as Browser
from django.utils import timezone

from billing_portal.log_filters import WithoutKeys
from invoices.models import Message, QuoteAcceptance, QuoteEvent
from invoices.models.quotes import State
from invoices.quotes import beginning, links, sending
from invoices.quotes.views import public
from tests.factories import make_client
from tests.invoices.quotes.making import CHOICES, accept, line, pick, save, send_quote

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def _no_counts():
    cache.clear()


@pytest.fixture
def today():
    return timezone.localdate()


@pytest.fixture
def quote(today):
    return send_quote(
        lines=CHOICES,
        on=today,
        client=make_client(name="Menuiserie Guérin", language="en", billing_email="g@g.example"),
    )


def url(version, act=""):
    return links.path_of(version) + (f"{act}/" if act else "")


def answer_of(version, total_minor, *, picked=(), **more):
    """What the form sends."""
    return {
        "name": "Gaëlle Guérin",
        "role": "Manager",
        "power": "on",
        "pick": [str(pk) for pk in picked],
        "read": str(total_minor),
        **more,
    }


def test_the_page_is_kept_by_nobody_found_by_no_engine_and_tells_no_other_site(client, quote):
    answer = client.get(url(quote.version))
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    assert answer["Referrer-Policy"] == "same-origin"
    assert "noindex" in answer["X-Robots-Tag"]
    assert "default-src 'self'" in answer["Content-Security-Policy"]
    assert '<meta name="robots" content="noindex, nofollow">' in answer.text
    # No menu, no search, nothing of the portal.
    assert "sidebar" not in answer.text
    assert "sessionid" not in answer.cookies


def test_looking_changes_nothing_and_opening_is_said_by_the_page(client, quote):
    client.get(url(quote.version))
    client.head(url(quote.version))
    assert not quote.events.filter(kind=QuoteEvent.Kind.VIEWED).exists()
    assert client.post(url(quote.version, "seen")).status_code == 204
    quote.version.refresh_from_db()
    assert quote.version.viewed_at is not None


def test_it_says_what_is_planned_what_is_to_choose_and_what_the_button_does(client, quote):
    text = client.get(url(quote.version)).text
    assert "Menuiserie Guérin" in text
    assert "Line at 1000" in text
    assert "Hosting" in text
    assert "Accept for €1,740.00 including VAT" in text


def test_ticking_is_added_up_by_the_server_with_and_without_script(client, quote):
    version = quote.version
    data = {"pick": [str(pk) for pk in pick(version, "200")], "group-0": pick(version, "300").pop()}
    piece = client.post(url(version, "total"), data, headers=HTMX).text
    assert "Accept for €1,800.00 including VAT" in piece
    assert "<html" not in piece
    whole = client.post(url(version, "total"), data).text
    assert "<html" in whole
    assert "Accept for €1,800.00 including VAT" in whole
    chosen = re.findall(r'value="(\d+)"\s+checked', whole)
    assert {int(pk) for pk in chosen} == pick(version, "200", "300")


def test_accepting_keeps_the_proof_and_leads_to_the_thanks(client, quote):
    version = quote.version
    data = answer_of(version, 1740_00, picked=pick(version, "50", "400"))
    answer = client.post(
        url(version, "accept"),
        data,
        headers={"User-Agent": "Firefox/145"},
        REMOTE_ADDR="203.0.113.9",
    )
    assert answer.status_code == 303
    found = QuoteAcceptance.objects.get()
    assert (found.name, found.role, found.ip) == ("Gaëlle Guérin", "Manager", "203.0.113.9")
    assert found.user_agent == "Firefox/145"
    assert found.total_minor == 1740_00
    page = client.get(answer["Location"]).text
    assert "Gaëlle Guérin, Manager, accepted version 1" in page
    assert "chosen instead of Line at 300" in page
    pdf = client.get(url(version, "pdf"))
    assert pdf.content == bytes(found.document.content)
    assert "no-store" in pdf["Cache-Control"]


def test_accepting_twice_shows_who_accepted_and_keeps_nothing_twice(client, quote):
    version = quote.version
    client.post(url(version, "accept"), answer_of(version, 1740_00, picked=pick(version, "50")))
    again = answer_of(version, 1740_00, picked=pick(version, "50"), name="Somebody Else")
    answer = client.post(url(version, "accept"), again)
    assert answer.status_code == 409
    assert "Gaëlle Guérin, Manager, accepted version 1" in answer.text
    assert "Somebody Else" not in answer.text
    assert QuoteAcceptance.objects.count() == 1
    assert Message.objects.filter(kind="quote_accepted").count() == 1


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"name": ""}, "Write your name"),
        ({"name": "  "}, "Write your name"),
        ({"power": ""}, "Tick this box"),
        ({"name": "x" * 121}, "at most 120 characters"),
        ({"read": "1"}, "You read a total of €0.01"),
        ({"read": ""}, "Look again"),
        ({"read": "-5"}, "Look again"),
        ({"read": "9" * 40}, "Look again"),
    ],
)
def test_what_is_missing_or_other_than_was_read_gets_a_sentence(client, quote, change, says):
    data = {**answer_of(quote.version, 1740_00, picked=pick(quote.version, "50")), **change}
    answer = client.post(url(quote.version, "accept"), data)
    assert answer.status_code == 422
    assert says in answer.text
    assert not QuoteAcceptance.objects.exists()
    if change.get("name") is None:
        assert "Gaëlle Guérin" in answer.text


def test_after_the_last_day_it_is_not_accepted_but_asked_for_again(client, quote):
    version = quote.version
    late = send_late(version)
    answer = client.post(url(late, "accept"), answer_of(late, 1740_00))
    assert answer.status_code == 409
    assert "could be accepted until" in answer.text
    assert not QuoteAcceptance.objects.exists()
    assert client.post(url(late, "ask")).status_code == 303
    page = client.get(url(late)).text
    assert "You asked for a new version" in page
    client.post(url(late, "ask"))
    assert QuoteEvent.objects.filter(kind=QuoteEvent.Kind.ASKED).count() == 1


def send_late(version):
    """A quote of forty days ago."""
    old = send_quote(
        to=(),
        on=timezone.localdate() - timedelta(days=40),
        client=version.quote.client,
        lines=CHOICES,
    )
    assert old.version.state(timezone.localdate()) == State.EXPIRED
    return old.version


def test_declining_wants_a_reason_keeps_it_and_may_be_taken_back(client, quote):
    version = quote.version
    assert client.post(url(version, "decline"), {}).status_code == 422
    bad = client.post(url(version, "decline"), {"why": "because"})
    assert bad.status_code == 422
    assert "Say what makes you decline" in bad.text
    client.post(url(version, "decline"), {"why": "price", "words": "Too dear"})
    version.refresh_from_db()
    assert (version.status, version.decline_words) == (State.DECLINED, "Too dear")
    assert "You declined this quote" in client.get(url(version)).text
    client.post(url(version, "reconsider"))
    assert "Accept this quote" in client.get(url(version)).text


def test_withdrawn_in_the_meantime_is_said(client, quote, today):
    sending.withdraw(quote_id=quote.pk, reason="secret", by=None, on=today)
    answer = client.post(url(quote.version, "accept"), answer_of(quote.version, 1740_00))
    assert answer.status_code == 409
    assert "We withdrew this quote" in answer.text
    assert "secret" not in answer.text
    assert client.post(url(quote.version, "decline"), {"why": "price"}).status_code == 409


def test_the_link_of_a_replaced_version_leads_its_reader_to_the_newer_one(client, quote, today):
    old = quote.version
    newer = beginning.new_version(quote_id=quote.pk, by=None, on=today)
    save(newer, [line("900")])
    sending.send(version_id=newer.pk, recipients=list(old.recipients), by=None, on=today)
    newer.refresh_from_db()
    page = client.get(url(old)).text
    assert "There is a newer one: version 2" in page
    assert url(newer) in page
    assert "What changes since version 1" in client.get(url(newer)).text
    assert client.post(url(old, "accept"), answer_of(old, 1740_00)).status_code == 409
    # Sent to others, it is not handed to whoever had the old one.
    third = beginning.new_version(quote_id=quote.pk, by=None, on=today)
    sending.send(version_id=third.pk, recipients=["other@g.example"], by=None, on=today)
    page = client.get(url(newer)).text
    assert "It was sent to somebody else" in page
    third.refresh_from_db()
    assert links.token_of(third) not in page


def test_forged_ended_and_expired_links_meet_one_and_the_same_page(client, quote, today):
    token = links.token_of(quote.version)
    forged = client.get(f"/quote/{token[:-2]}xx/")
    ended = send_quote(on=today)
    address = url(ended.version)
    sending.end_link(quote_id=ended.pk, by=None, on=today)
    old = send_quote(to=(), on=today - timedelta(days=200))
    answers = [forged, client.get(address), client.get(url(old.version)), client.get("/quote/x/")]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1
    assert "This link is no longer valid" in forged.text or "Ce lien" in forged.text
    assert "no-store" in forged["Cache-Control"]
    for act in ("accept", "decline", "ask", "seen", "total"):
        assert client.post(f"/quote/x/{act}/").status_code == 404


def test_no_token_of_a_link_is_written_to_the_log(quote):
    """By the handler that production has, not by pytest's, which sees the record as it was made."""
    token = links.token_of(quote.version)
    handler = logging.getLogger().handlers[0]
    (shown,) = [each for each in handler.filters if isinstance(each, WithoutKeys)]
    for text in (f"Not Found: /quote/{token}/x/", f"Forbidden: /quote/{token}/accept/"):
        record = logging.LogRecord("django", logging.WARNING, "", 0, "%s", (text,), None)
        assert shown.filter(record)
        assert token not in record.getMessage()
        assert "/quote/…/" in record.getMessage()


def test_guesses_and_floods_are_slowed(client, quote, monkeypatch):
    for _guess in range(public.BAD_PER_MINUTE):
        assert client.get("/quote/guess/").status_code == 404
    assert client.get("/quote/guess/").status_code == 429
    # Whoever has a true link is not kept out by guesses of others behind the same address.
    assert client.get(url(quote.version)).status_code == 200
    monkeypatch.setattr(public, "PER_MINUTE", 3)
    assert [client.get(url(quote.version)).status_code for _ in range(3)][-1] == 429


def test_a_form_from_elsewhere_is_refused(quote):
    strict = Browser(enforce_csrf_checks=True)
    data = answer_of(quote.version, 1740_00)
    assert strict.post(url(quote.version, "accept"), data).status_code == 403
    assert not QuoteAcceptance.objects.exists()
    page = strict.get(url(quote.version)).text
    key = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page).group(1)
    data |= {"csrfmiddlewaretoken": key, "pick": [str(pk) for pk in pick(quote.version, "50")]}
    assert strict.post(url(quote.version, "accept"), data).status_code == 303


def test_our_own_people_look_but_do_not_answer(clerk_client, quote):
    page = clerk_client.get(url(quote.version)).text
    assert "You are signed in to the portal" in page
    clerk_client.post(url(quote.version, "seen"))
    answer = clerk_client.post(
        url(quote.version, "accept"),
        answer_of(quote.version, 1740_00, picked=pick(quote.version, "50")),
    )
    assert answer.status_code == 422
    assert "only the client answers here" in answer.text
    assert clerk_client.post(url(quote.version, "decline"), {"why": "price"}).status_code == 422
    assert not QuoteAcceptance.objects.exists()
    quote.version.refresh_from_db()
    assert quote.version.viewed_at is None


@pytest.mark.prints
def test_the_pdf_is_the_one_that_was_sent_or_one_with_the_choices(client, quote):
    version = quote.version
    sent = bytes(version.documents.get().content)
    assert client.get(url(version, "pdf")).content == sent
    same = {"pick": pick(version, "50"), "group-0": pick(version, "400").pop()}
    assert client.post(url(version, "pdf"), same).content == sent
    other = client.post(url(version, "pdf"), {"pick": pick(version, "200")})
    assert other.content.startswith(b"%PDF")
    assert other.content != sent


def test_its_language_is_the_quotes_and_may_be_changed_for_this_reader(client, today):
    french = send_quote(on=today, client=make_client(language="fr"))
    assert '<html lang="fr">' in client.get(url(french.version)).text
    english = client.get(url(french.version) + "?lang=en").text
    assert "Accept this quote" in english
    # What is sent from there stays in it.
    assert "accept/?lang=en" in english


def test_as_many_queries_for_many_lines_as_for_few(client, today, django_assert_max_num_queries):
    big = send_quote(on=today, lines=[*CHOICES, *(line("1") for _ in range(60))])
    with django_assert_max_num_queries(24):
        assert client.get(url(big.version)).status_code == 200


def test_whatever_is_picked_is_a_choice_or_left_out(client, quote):
    foreign = accept(send_quote(on=timezone.localdate(), lines=CHOICES), at=timezone.now())
    data = {"pick": ["", "x", "²", "9" * 30, *map(str, foreign.lines.values_list("pk", flat=True))]}
    answer = client.post(url(quote.version, "total"), {**data, "group-0": "zz"}, headers=HTMX)
    assert answer.status_code == 200
    assert "Accept for €1,680.00 including VAT" in answer.text
