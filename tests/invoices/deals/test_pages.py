import csv
import io
from datetime import date
from decimal import Decimal

import pytest
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone
from moneyed import Money

from billing_portal.accounts.models import User
from billing_portal.idempotency import new_key
from billing_portal.money import formatted
from invoices.deals import queue
from invoices.deals.drafting import draft_from_deal
from invoices.deals.queue import SetAsideRefused, examine, set_aside, take_back
from invoices.models import Deal, Invoice
from tests.confirm import confirm, token_on
from tests.factories import (
    make_client,
    make_client_type,
    make_company,
    make_deal,
    make_invoice,
    make_user,
)

HTMX = {"HX-Request": "true"}
QUEUE = "/deals/"


def lacking_deal(**fields):
    return make_deal(client=make_client(address_line1="", city=""), **fields)


def test_the_queue_sorts_deals_into_ready_and_lacking(clerk_client):
    make_company()
    make_deal(title="Ready one")
    lacking_deal(title="Lacking one")
    text = clerk_client.get(QUEUE).text
    assert text.index("Ready to bill") < text.index("Ready one")
    assert text.index("Something missing", text.index("Ready one")) < text.index("Lacking one")
    assert "Billing address" in text


def test_what_is_missing_leads_to_where_it_is_mended(clerk_client):
    make_company()
    deal = lacking_deal()
    assert reverse("invoices:client-edit", args=[deal.client_id]) in clerk_client.get(QUEUE).text


@pytest.mark.parametrize(
    ("state", "shown"),
    [("", "RL"), ("ready", "R"), ("missing", "L"), ("aside", "A"), ("billed", "B")],
)
def test_each_tab_shows_its_own_deals(clerk_client, clerk, state, shown):
    make_company()
    make_deal(title="Deal R")
    lacking_deal(title="Deal L")
    set_aside(deal_id=make_deal(title="Deal A").pk, reason="Elsewhere", at=timezone.now())
    billed = make_deal(title="Deal B")
    clerk_client.post(reverse("invoices:draft-deal", args=[billed.pk]), {"once": new_key()})
    text = clerk_client.get(QUEUE, {"state": state}, headers=HTMX).text
    for letter in "RLAB":
        assert (f">Deal {letter}</a>" in text) == (letter in shown), letter


def test_an_unknown_tab_sort_or_position_is_forgiven(clerk_client):
    make_company()
    make_deal(title="Only")
    answer = clerk_client.get(QUEUE, {"state": "x", "sort": "-x", "at": "9999999", "won_from": "?"})
    assert answer.status_code == 200


def test_totals_of_values_are_per_currency(clerk_client):
    make_company()
    make_deal(value_minor=100_000)
    make_deal(value_minor=50_000)
    make_deal(value_minor=30_000, currency="USD")
    assert "€1,500.00 · US$300.00" in clerk_client.get(QUEUE).text


@pytest.mark.parametrize("sort", ["title", "-title", "client", "owner", "won", "-won", "-amount"])
def test_every_column_sorts(clerk_client, sort):
    make_company()
    for n in range(3):
        make_deal(title=f"Deal {n}", won_on=date(2026, 9, 10 + n) if n else None)
    assert clerk_client.get(QUEUE, {"sort": sort}).status_code == 200


def test_filters_narrow_the_queue_and_show_as_chips(clerk_client):
    make_company()
    public = make_client_type("Public sector")
    make_deal(title="Wanted", client=make_client(client_type=public))
    make_deal(title="Other")
    answer = clerk_client.get(QUEUE, {"type": public.pk}, headers=HTMX)
    assert "Wanted" in answer.text
    assert ">Other</a>" not in answer.text
    assert "Remove the filter Client type: Public sector" in answer.text


def test_the_queue_takes_as_many_queries_for_twenty_deals_as_for_one(
    clerk_client, django_assert_num_queries
):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    make_company()
    make_deal()
    clerk_client.get(QUEUE)
    with CaptureQueriesContext(
        connection,
    ) as first:
        clerk_client.get(QUEUE)
    for _n in range(19):
        make_deal(client=make_client(), owner=make_user(role=User.Role.SALES))
    lacking_deal()
    with CaptureQueriesContext(connection) as second:
        clerk_client.get(QUEUE)
    assert len(second) <= len(first) + 1  # the owners, once there are any


def test_the_queue_says_when_it_is_cut_off(clerk_client, monkeypatch):
    monkeypatch.setattr(queue, "MOST_EXAMINED", 2)
    make_company()
    for _n in range(3):
        make_deal()
    assert examine(Deal.objects.to_bill()).cut_off
    assert "the latest won" in clerk_client.get(QUEUE).text


def test_one_click_drafts_and_without_script_the_editor_opens(clerk_client):
    make_company()
    deal = make_deal()
    answer = clerk_client.post(reverse("invoices:draft-deal", args=[deal.pk]), {"once": new_key()})
    draft = Invoice.objects.get(deal=deal)
    assert answer.status_code == 302
    assert answer["Location"] == reverse("invoices:edit", args=[draft.pk])


def test_with_htmx_the_row_leaves_a_toast_comes_and_the_next_button_has_the_focus(clerk_client):
    make_company()
    first, second = make_deal(title="First"), make_deal(title="Second", won_on=date(2026, 9, 1))
    answer = clerk_client.post(
        reverse("invoices:draft-deal", args=[first.pk]),
        {"once": new_key(), "next": second.pk},
        headers=HTMX,
    )
    draft = Invoice.objects.get(deal=first)
    assert ">First</a>" not in answer.text
    assert reverse("invoices:edit", args=[draft.pk]) in answer.text
    written = " ".join(answer.text.split())
    assert f'id="draft-{second.pk}" type="submit" autofocus' in written
    assert "counts-changed" in answer["HX-Trigger"]
    assert "<html" not in answer.text
    # The button in the head of the page drafts what is left of the list, and says how many.
    assert 'id="draft-ready-place" hx-swap-oob="true"' in answer.text
    assert "Draft the one that is ready…" in answer.text


def test_the_button_of_all_that_are_ready_follows_the_filter(clerk_client):
    make_company()
    make_deal(title="First")
    make_deal(title="Second")
    page = clerk_client.get(QUEUE).text
    assert "Draft the 2 that are ready…" in page
    assert 'hx-swap-oob="true"' not in page[page.index("draft-ready-place") :][:40]
    narrowed = clerk_client.get(QUEUE, {"q": "Second"}, headers=HTMX).text
    place = narrowed[narrowed.index('id="draft-ready-place"') : narrowed.index('id="deal-list"')]
    assert "Draft the one that is ready…" in place
    assert f"{reverse('invoices:draft-deals')}?q=Second" in place
    none = clerk_client.get(QUEUE, {"q": "Third"}, headers=HTMX).text
    place = none[none.index('id="draft-ready-place"') : none.index('id="deal-list"')]
    assert "<a" not in place


def test_a_double_click_makes_one_draft(clerk_client):
    make_company()
    deal = make_deal()
    url, key = reverse("invoices:draft-deal", args=[deal.pk]), new_key()
    first = clerk_client.post(url, {"once": key})
    second = clerk_client.post(url, {"once": key})
    assert Invoice.objects.filter(deal=deal).count() == 1
    assert first["Location"] == second["Location"]


def test_a_deal_that_somebody_else_has_drafted_leads_to_that_draft(clerk_client):
    make_company()
    deal = make_deal()
    url = reverse("invoices:draft-deal", args=[deal.pk])
    clerk_client.post(url, {"once": new_key()})
    again = clerk_client.post(url, {"once": new_key()}, headers=HTMX)
    assert again.status_code == 422
    assert "A draft of this deal exists already." in again.text
    assert "Nothing was drafted." in again.text
    assert Invoice.objects.count() == 1


def test_drafting_several_shows_first_what_goes_and_what_stays(clerk_client):
    make_company()
    make_deal(value_minor=100_000)
    make_deal(value_minor=30_000, currency="USD", lines=[(1, "300")])
    lacking_deal(title="Stays here")
    text = clerk_client.get(reverse("invoices:draft-deals"), headers=HTMX).text
    assert "Draft 2 invoices?" in text
    assert "US$300.00" in text
    assert "Stays here" in text
    assert "<html" not in text
    assert "<html" in clerk_client.get(reverse("invoices:draft-deals")).text


def test_drafting_several_makes_just_those_that_were_shown(clerk_client):
    make_company()
    shown, later = make_deal(), make_deal()
    url = reverse("invoices:draft-deals")
    given = {"once": new_key(), "ids": [shown.pk]}
    answer = confirm(clerk_client, url, given, at=f"{url}?ids={shown.pk}")
    assert answer.status_code == 303
    assert set(Invoice.objects.values_list("deal", flat=True)) == {shown.pk}
    assert Deal.objects.to_bill().get() == later


def test_of_several_the_refused_one_is_named_and_the_others_are_made(clerk_client):
    make_company()
    good, bad = make_deal(), make_deal(title="Twice")
    url = reverse("invoices:draft-deals")
    token = token_on(clerk_client.get(url))
    draft_from_deal(deal_id=bad.pk, by=None, on=date(2026, 11, 24))
    given = {"once": new_key(), "ids": [good.pk, bad.pk], "confirmed": token}
    page = clerk_client.post(url, given, follow=True)
    assert Invoice.objects.filter(deal=good).count() == 1
    assert Invoice.objects.filter(deal=bad).count() == 1
    assert "“Twice” was left out." in page.text


def test_nothing_chosen_drafts_nothing(clerk_client):
    url = reverse("invoices:draft-deals")
    assert "Nothing was drafted" in clerk_client.post(url, {"once": "a"}, follow=True).text


def test_setting_aside_needs_a_reason_and_can_be_taken_back(clerk_client):
    make_company()
    deal = make_deal(title="Billed elsewhere")
    url = reverse("invoices:set-deal-aside", args=[deal.pk])
    refused = clerk_client.post(url, {"once": new_key(), "reason": " "}, headers=HTMX)
    assert refused.status_code == 422
    assert "Say why it is not billed here." in refused.text
    done = clerk_client.post(url, {"once": new_key(), "reason": "By the subsidiary"}, headers=HTMX)
    assert done["HX-Redirect"] == QUEUE
    assert "By the subsidiary" in clerk_client.get(QUEUE, {"state": "aside"}).text
    clerk_client.post(reverse("invoices:take-deal-back", args=[deal.pk]))
    assert Deal.objects.to_bill().get() == deal


def test_a_billed_deal_is_not_set_aside(clerk):
    make_company()
    deal = make_deal()
    from invoices.deals.drafting import draft_from_deal

    draft_from_deal(deal_id=deal.pk, by=clerk, on=date(2026, 11, 24))
    with pytest.raises(SetAsideRefused, match="discard it first"):
        set_aside(deal_id=deal.pk, reason="No", at=timezone.now())


def test_taking_back_twice_changes_nothing(db):
    deal = make_deal()
    set_aside(deal_id=deal.pk, reason="Why", at=timezone.now())
    with pytest.raises(SetAsideRefused, match="already"):
        set_aside(deal_id=deal.pk, reason="Why", at=timezone.now())
    take_back(deal_id=deal.pk)
    assert take_back(deal_id=deal.pk).set_aside_at is None


def test_the_deal_page_adds_up_and_shows_the_difference(clerk_client):
    make_company()
    deal = make_deal(value_minor=150_000, lines=[(2, "500.00")])
    text = clerk_client.get(reverse("invoices:deal", args=[deal.pk])).text
    assert "€1,200.00" in text
    assert "differs by €500.00" in text
    assert "Draft invoice" in text


def test_a_deal_that_cannot_be_added_up_says_so(clerk_client):
    make_company()
    deal = make_deal(lines=[{"quantity": 1, "unit_price": "10", "discount": "120"}])
    answer = clerk_client.get(reverse("invoices:deal", args=[deal.pk]))
    assert answer.status_code == 200
    assert "Mend it in the CRM" in answer.text


def test_a_deal_in_an_unknown_currency_breaks_no_page(clerk_client):
    make_company()
    deal = make_deal(currency="ZZZ")
    assert clerk_client.get(QUEUE).status_code == 200
    assert clerk_client.get(reverse("invoices:deal", args=[deal.pk])).status_code == 200
    assert clerk_client.get(reverse("invoices:draft-deals")).status_code == 200


def test_sales_see_their_own_deals_and_no_buttons(db):
    make_company()
    seller = make_user(role=User.Role.SALES)
    mine, other = make_deal(title="Mine", owner=seller), make_deal(title="Not mine")
    browser = Browser()
    browser.force_login(seller, backend="allauth.account.auth_backends.AuthenticationBackend")
    text = browser.get(QUEUE).text
    assert "Mine</a>" in text
    assert "Not mine" not in text
    assert "Draft invoice" not in text
    assert browser.get(reverse("invoices:deal", args=[mine.pk])).status_code == 200
    assert browser.get(reverse("invoices:deal", args=[other.pk])).status_code == 404
    assert browser.post(reverse("invoices:draft-deal", args=[mine.pk])).status_code == 403


@pytest.mark.parametrize("name", ["draft-deal", "set-deal-aside", "take-deal-back"])
def test_managers_change_no_deal(manager_client, name):
    deal = make_deal()
    assert manager_client.post(reverse(f"invoices:{name}", args=[deal.pk])).status_code == 403


def test_hostile_names_are_shown_as_text(clerk_client):
    make_company()
    evil = "<script>alert(1)</script>{{ 7|add:7 }}{% now 'Y' %}"
    deal = make_deal(title=evil, client=make_client(name=evil))
    for url in (QUEUE, reverse("invoices:deal", args=[deal.pk])):
        text = clerk_client.get(url).text
        assert "<script>alert" not in text
        assert "{{ 7|add:7 }}" in text


def test_the_export_has_what_each_deal_lacks(clerk_client):
    make_company()
    lacking_deal(title="=Lacking")
    answer = clerk_client.get(reverse("invoices:deals-csv"))
    text = b"".join(answer.streaming_content).decode()
    assert "'=Lacking" in text
    assert "Billing address" in text


@pytest.mark.parametrize("state", ["", "ready", "missing", "aside", "billed"])
def test_the_deals_of_each_tab_and_filter_add_up_to_their_foot(clerk_client, clerk, state):
    """Also with a currency of no decimals, of three, and one that nobody knows."""
    make_company()
    for n, code in enumerate(("EUR", "JPY", "TND", "XX1")):
        fields = {"currency": code, "value_minor": 1_234 + n, "title": f"Deal {code}", "lines": ()}
        make_deal(**fields)
        lacking_deal(**fields)
        set_aside(deal_id=make_deal(**fields).pk, reason="Elsewhere", at=timezone.now())
        billed = make_deal(**fields)
        make_invoice(deal=billed, client=billed.client, status=Invoice.Status.DRAFT)
    for params in ({}, {"q": "TND"}, {"q": "no such"}, {"value_min": "5"}):
        query = {"state": state, **params}
        page = clerk_client.get(QUEUE, query)
        file = b"".join(clerk_client.get(reverse("invoices:deals-csv"), query).streaming_content)
        sums: dict[str, Decimal] = {}
        for row in csv.DictReader(io.StringIO(file.decode("utf-8-sig").split("\r\n\r\n")[0])):
            if row["Value"]:
                code = row["Currency"]
                sums[code] = sums.get(code, Decimal(0)) + Decimal(row["Value"])
        written = {formatted(Money(amount, code)) for code, amount in sums.items()}
        shown = page.context["found_total"]
        assert set(shown.split(" · ")) - {"–"} == written, query


def test_the_queue_sorts_names_as_people_do(clerk_client):
    make_company()
    for name in ("Zinc", "Étain", "Fer", "eau"):
        make_deal(title=name, client=make_client(name=name))
    for sort in ("title", "client"):
        text = clerk_client.get(QUEUE, {"sort": sort}, headers=HTMX).text
        places = [text.index(f">{name}</a>") for name in ("eau", "Étain", "Fer", "Zinc")]
        assert places == sorted(places), sort


def test_an_empty_queue_says_what_will_happen(clerk_client):
    assert "No deals yet" in clerk_client.get(QUEUE).text
    make_deal(status=Deal.Status.OPEN)
    assert "Everything is billed" in clerk_client.get(QUEUE).text


def test_the_page_of_a_new_invoice_names_what_waits_for_that_client(clerk_client):
    make_company()
    mine, other = make_client(name="Mine"), make_client(name="Other")
    make_deal(title="Waits here", client=mine)
    make_deal(title="Waits elsewhere", client=other)
    set_aside(
        deal_id=make_deal(title="Is aside", client=mine).pk, reason="Elsewhere", at=timezone.now()
    )
    text = clerk_client.get(reverse("invoices:new"), {"client": mine.pk}).text
    assert [name in text for name in ("Waits here", "Waits elsewhere", "Is aside")] == [
        *(True, False, False)
    ]
