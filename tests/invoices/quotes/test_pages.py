"""The pages of our own people: written, sent, followed, billed."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from billing_portal.idempotency import new_key
from invoices.models import Message, Quote, QuoteAcceptance, QuoteEvent
from invoices.models.quotes import State
from invoices.quotes import drafting, links, sending
from tests.confirm import confirm
from tests.factories import make_client, make_company, make_deal, make_user
from tests.invoices.quotes.making import (
    CHOICES,
    accept,
    accepted_quote,
    line,
    pick,
    save,
    send_quote,
    write_quote,
)

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def today():
    make_company()
    return timezone.localdate()


def address(name, quote):
    return reverse(f"invoices:quote-{name}" if name else "invoices:quote", args=[quote.pk])


def typed(version, *lines, **head):
    """What the editor sends."""
    data = {
        "title": "App",
        "recipients": "g@g.example",
        "valid_until": (timezone.localdate() + timedelta(days=20)).isoformat(),
        "terms": "net:30",
        "deposit": "",
        "language": "en",
        "currency": "EUR",
        "note": "",
        "seen": version.updated_at.isoformat(),
        "lines-TOTAL_FORMS": str(len(lines)),
        **head,
    }
    for n, each in enumerate(lines):
        given = {
            "description": "Work",
            "nature": "services",
            "quantity": "1",
            "unit": "DAY",
            "unit_price": "100",
            "discount": "",
            "vat": "S:20",
            "role": "included",
            "section": "",
            **each,
        }
        data.update({f"lines-{n}-{name}": text for name, text in given.items()})
    return data


# ─ Beginning one ────────────────────────────────────────────────────────────────────────────────
def test_it_begins_from_a_client_a_deal_and_a_copy(clerk_client, today):
    client = make_client(name="Menuiserie Guérin")
    page = reverse("invoices:quote-new") + f"?client={client.pk}"
    assert "A quote for Menuiserie Guérin" in clerk_client.get(page).text
    made = clerk_client.post(page, {"client": client.pk, "once": new_key()})
    quote = Quote.objects.get()
    assert made["Location"] == address("edit", quote)
    deal = make_deal(client=client, title="Site app", lines=((3, "820"),))
    made = clerk_client.post(
        reverse("invoices:quote-from-deal", args=[deal.pk]), {"once": new_key()}
    )
    from_deal = Quote.objects.latest("pk")
    assert (from_deal.deal, from_deal.version.title) == (deal, "Site app")
    assert from_deal.version.total_minor == 2460_00 * 120 // 100
    clerk_client.post(address("copy", from_deal), {"once": new_key()})
    copy = Quote.objects.latest("pk")
    assert (copy.copied_from, copy.deal) == (from_deal, None)
    assert copy.version.total_minor == from_deal.version.total_minor
    # The pages that it begins from show it.
    for url in (
        reverse("invoices:deal", args=[deal.pk]),
        reverse("invoices:client", args=[client.pk]),
    ):
        assert address("", from_deal) in clerk_client.get(url).text


def test_a_second_click_begins_no_second_quote(clerk_client, today):
    client, key = make_client(), new_key()
    for _click in range(2):
        data = {"client": client.pk, "once": key}
        clerk_client.post(reverse("invoices:quote-new"), data)
    assert Quote.objects.count() == 1


def test_without_a_client_or_with_a_wrong_one_it_is_chosen_first(clerk_client, today):
    url = reverse("invoices:quote-new")
    assert clerk_client.get(url)["Location"].endswith("?for=quote")
    answer = clerk_client.post(url, {"client": "999999", "once": new_key()}, follow=True)
    assert "No quote was begun" in answer.text
    page = clerk_client.get(reverse("invoices:client-choices") + "?for=quote").text
    assert "New quote: for whom?" in page


# ─ The editor ───────────────────────────────────────────────────────────────────────────────────
def test_what_is_typed_is_saved_with_its_choices(clerk_client, today):
    quote = write_quote(on=today)
    data = typed(
        quote.version,
        {},
        {"role": "option+", "section": "Training", "unit_price": "50"},
        {"role": "alternative", "section": "Hosting", "unit_price": "10"},
        {"role": "alternative+", "section": "Hosting", "unit_price": "20"},
        deposit="30 %",
    )
    answer = clerk_client.post(address("edit", quote), data)
    assert answer.status_code == 302
    version = quote.version
    version.refresh_from_db()
    assert version.net_minor == 170_00
    assert (version.deposit_percent, version.deposit_minor) == (30, 0)
    assert list(version.lines.values_list("role", "section", "proposed")) == [
        ("included", "", False),
        ("option", "Training", True),
        ("alternative", "Hosting", False),
        ("alternative", "Hosting", True),
    ]
    # The editor shows it again as it was typed.
    page = clerk_client.get(address("edit", quote)).text
    assert 'value="alternative+" selected' in page
    assert 'value="30 %"' in page


@pytest.mark.parametrize(
    ("lines", "head", "says"),
    [
        ([{"role": "alternative", "section": "H"}], {}, "one alternative only"),
        ([{"role": "alternative"}, {"role": "alternative"}], {}, "heading"),
        ([{"role": "alternative+", "section": "H"}] * 2, {}, "proposes two"),
        ([{"role": "nonsense"}], {}, "Choose what the line is"),
        ([{}], {"valid_until": ""}, "until when"),
        ([{}], {"valid_until": "soon"}, "soon"),
        ([{}], {"deposit": "101"}, "more than 100 per cent"),
        ([{}], {"deposit": "-1"}, "negative"),
        ([{}], {"deposit": "much"}, "is no deposit"),
        ([{}], {"deposit": "500 EUR"}, "at most its total"),
        ([{"unit_price": "x"}], {}, "Nothing was saved"),
        ([{}], {"recipients": "nobody"}, "is not an email address"),
    ],
)
def test_what_cannot_be_saved_is_said_and_stays_typed(clerk_client, today, lines, head, says):
    quote = write_quote(on=today)
    before = quote.version.updated_at
    answer = clerk_client.post(address("edit", quote), typed(quote.version, *lines, **head))
    assert answer.status_code == 422
    assert says in answer.text
    quote.version.refresh_from_db()
    assert quote.version.updated_at == before


def test_somebody_elses_save_is_not_overwritten_unawares(clerk_client, today):
    quote = write_quote(on=today)
    mine = typed(quote.version, {"unit_price": "111"})
    save(quote.version, [line("999")])
    answer = clerk_client.post(address("edit", quote), mine)
    assert answer.status_code == 422
    assert "saved elsewhere in between" in answer.text
    assert (
        clerk_client.post(address("edit", quote), {**mine, "act": "overwrite"}).status_code == 302
    )
    quote.version.refresh_from_db()
    assert quote.version.net_minor == 111_00


def test_the_totals_follow_what_is_typed(clerk_client, today):
    quote = write_quote(on=today)
    data = typed(quote.version, {}, {"role": "option", "unit_price": "70"}, deposit="50")
    piece = clerk_client.post(address("totals", quote), data).text
    assert "€120.00" in piece
    assert "one line that is to choose is not in it" in piece
    assert "€60.00" in piece
    quote.version.refresh_from_db()
    assert quote.version.net_minor == 1000_00


def test_without_script_lines_are_added_moved_and_removed(clerk_client, today):
    quote = write_quote(on=today)
    data = typed(quote.version, {"description": "One"}, {"description": "Two"})
    assert 'value="3"' in clerk_client.post(address("edit", quote), {**data, "act": "add"}).text
    page = clerk_client.post(address("edit", quote), {**data, "act": "up-1"}).text
    assert page.index("Two") < page.index("One")
    assert "Two" not in clerk_client.post(address("edit", quote), {**data, "act": "remove-1"}).text


def test_the_preview_prints_what_is_on_the_screen_and_saves_nothing(clerk_client, today):
    quote = write_quote(on=today)
    data = typed(quote.version, {"unit_price": "5"})
    answer = clerk_client.post(address("preview", quote), data)
    assert answer.content.startswith(b"%PDF")
    bad = clerk_client.post(address("preview", quote), typed(quote.version, {"unit_price": "x"}))
    assert bad.status_code == 422
    quote.version.refresh_from_db()
    assert quote.version.net_minor == 1000_00


def test_what_was_sent_is_not_edited(clerk_client, today):
    quote = send_quote(on=today)
    answer = clerk_client.get(address("edit", quote))
    assert answer["Location"] == address("", quote)
    answer = clerk_client.post(address("edit", quote), typed(quote.version, {}), follow=True)
    assert "What you typed was not kept" in answer.text


# ─ Sending and after ────────────────────────────────────────────────────────────────────────────
def test_sending_asks_locks_and_mails(clerk_client, today):
    quote = write_quote(on=today)
    url = address("send", quote)
    answer = confirm(clerk_client, url, {"send": "mail", "recipients": "g@g.example"})
    assert answer.status_code == 303
    quote.refresh_from_db()
    assert quote.version.status == State.SENT
    assert Message.objects.get(kind="quote").to == ["g@g.example"]
    page = clerk_client.get(address("", quote)).text
    assert links.address_of(quote.version) in page


def test_the_link_alone_needs_no_address_and_a_mail_does(clerk_client, today):
    quote = write_quote(on=today)
    url = address("send", quote)
    refused = confirm(clerk_client, url, {"send": "mail", "recipients": ""})
    assert refused.status_code == 422
    assert "Say who receives it" in refused.text
    assert confirm(clerk_client, url, {"send": "link", "recipients": ""}).status_code == 303
    assert not Message.objects.filter(kind="quote").exists()


def test_what_is_not_ready_says_why_instead_of_asking(clerk_client, today):
    quote = write_quote(on=today, lines=[])
    page = clerk_client.get(address("send", quote)).text
    assert "Not ready to send yet" in page
    assert "Write at least one line." in page


def test_a_draft_changed_while_its_dialog_was_open_is_not_sent(clerk_client, today):
    from tests.confirm import token_on

    quote = write_quote(on=today)
    url = address("send", quote)
    token = token_on(clerk_client.get(url))
    save(quote.version, [{**line("1000"), "description": "Something else"}])
    data = {"send": "link", "recipients": "", "once": new_key(), "confirmed": token}
    answer = clerk_client.post(url, data)
    assert answer.status_code == 422
    quote.version.refresh_from_db()
    assert quote.version.status == State.DRAFT


def test_it_is_withdrawn_sent_again_and_its_link_ended_and_renewed(clerk_client, today):
    quote = send_quote(on=today)
    first = links.token_of(quote.version)
    confirm(clerk_client, address("send-again", quote), {"recipients": "b@g.example"})
    assert Message.objects.filter(kind="quote").count() == 2
    clerk_client.post(address("link", quote), {"act": "end", "once": new_key()})
    quote.version.refresh_from_db()
    assert quote.version.link_key == ""
    clerk_client.post(address("link", quote), {"act": "renew", "once": new_key()})
    quote.version.refresh_from_db()
    assert links.token_of(quote.version) != first
    confirm(clerk_client, address("withdraw", quote), {"reason": "Too low"})
    quote.version.refresh_from_db()
    assert quote.version.status == State.WITHDRAWN


def test_an_agreement_on_paper_is_recorded_with_its_choices(clerk_client, clerk, today):
    quote = send_quote(on=today, lines=CHOICES)
    cheap = pick(quote.version, "300").pop()
    data = {"name": "Gaëlle Guérin", "group-0": str(cheap)}
    assert confirm(clerk_client, address("record", quote), data).status_code == 303
    found = QuoteAcceptance.objects.get()
    assert (found.via, found.recorded_by) == ("paper", clerk)
    assert sorted(found.lines.values_list("unit_price", flat=True)) == [300, 1000]
    assert confirm(clerk_client, address("record", quote), {"name": ""}).status_code == 303


def test_a_new_version_goes_on_where_it_is_being_written(clerk_client, today):
    quote = send_quote(on=today)
    clerk_client.post(address("version", quote), {"once": new_key()})
    page = clerk_client.get(address("", quote)).text
    assert "Go on with version 2" in page
    accept(quote, at=timezone.now())
    answer = clerk_client.post(address("version", quote), {"once": new_key()}, follow=True)
    assert answer.status_code == 200


# ─ The list ─────────────────────────────────────────────────────────────────────────────────────
def test_the_states_of_the_list_exclude_each_other_and_miss_none(clerk_client, today):
    made = {
        "draft": write_quote(on=today),
        "sent": send_quote(on=today),
        "accepted": accepted_quote(on=today),
        "expired": send_quote(on=today - timedelta(days=60), to=()),
    }
    sending.withdraw(quote_id=(withdrawn := send_quote(on=today)).pk, reason="", by=None, on=today)
    made["withdrawn"] = withdrawn
    drafting.discard(version_id=(gone := write_quote(on=today)).version_id, by=None, on=today)
    made["discarded"] = gone
    url = reverse("invoices:quotes")
    for state, quote in made.items():
        shown = clerk_client.get(url, {"state": state}).context["rows"]
        assert [row.pk for row, _look in shown] == [quote.pk], state
    everything = {row.pk for row, _look in clerk_client.get(url).context["rows"]}
    assert everything == {q.pk for q in made.values()} - {gone.pk}
    to_bill = clerk_client.get(url, {"state": "to_bill"}).context["rows"]
    assert [row.pk for row, _look in to_bill] == [made["accepted"].pk]


def test_it_is_found_by_number_client_and_title_also_from_the_search_box(clerk_client, today):
    quote = send_quote(on=today, client=make_client(name="Menuiserie Guérin"))
    send_quote(on=today)
    url = reverse("invoices:quotes")
    for words in (quote.number, "guerin"):
        rows = clerk_client.get(url, {"q": words}).context["rows"]
        assert [row.pk for row, _look in rows] == [quote.pk]
        assert address("", quote) in clerk_client.get(reverse("reports:search"), {"q": words}).text
    assert len(clerk_client.get(url, {"q": "site office"}).context["rows"]) == 2


def test_exports_have_what_the_list_has(clerk_client, today):
    quote = accepted_quote(on=today, lines=CHOICES)
    answer = clerk_client.get(reverse("invoices:quotes-csv"))
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    assert quote.number in text
    assert "1740" in text


def test_the_list_makes_as_many_queries_for_many_rows_as_for_one(
    clerk_client, today, django_assert_max_num_queries
):
    for _n in range(6):
        send_quote(on=today)
    clerk_client.get(reverse("invoices:quotes"))
    with django_assert_max_num_queries(14):
        clerk_client.get(reverse("invoices:quotes"))


def test_salespeople_read_their_own_and_change_none(today):
    from tests.conftest import _signed_in

    seller = _signed_in("sales")
    me = type(make_user()).objects.get(role="sales")
    mine = send_quote(on=today, client=make_client(owner=me))
    others = send_quote(on=today)
    assert seller.get(address("", mine)).status_code == 200
    # Nobody is handed a key that they may not use.
    assert links.token_of(mine.version) not in seller.get(address("", mine)).text
    assert seller.get(address("", others)).status_code == 404
    rows = seller.get(reverse("invoices:quotes")).context["rows"]
    assert [row.pk for row, _look in rows] == [mine.pk]
    assert seller.post(address("withdraw", mine)).status_code == 403


def test_the_figures_say_how_few_they_are(clerk_client, today):
    accepted_quote(on=today)
    page = clerk_client.get(reverse("invoices:quote-figures")).text
    assert "100%" in page
    assert "below 20 a share says little" in page


def test_every_event_has_its_sentence(clerk_client, clerk, today):
    quote = accepted_quote(on=today)
    told = {
        QuoteEvent.Kind.MAIL_SENT: {"to": ["a@b.example"], "message_id": 1},
        QuoteEvent.Kind.MAIL_FAILED: {"trouble": "refused", "error": "550", "message_id": 1},
        QuoteEvent.Kind.BILLED: {"invoice_id": 1, "billing": "whole", "amount_minor": 1},
        QuoteEvent.Kind.EXCEEDED: {"invoice_id": 1, "amount_minor": 1},
        QuoteEvent.Kind.REPLACED: {"number": 1, "newer": 2},
    }
    for kind in QuoteEvent.Kind:
        data = {"number": 1, "currency": "EUR", **told.get(kind, {})}
        drafting.tell(quote, kind, on=today, by=clerk, version=quote.version, **data)
    assert clerk_client.get(address("", quote)).status_code == 200
