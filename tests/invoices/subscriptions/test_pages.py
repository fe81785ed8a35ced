"""The pages of subscriptions: written, started, looked at, by whom."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from billing_portal.accounts.models import User
from billing_portal.idempotency import new_key
from invoices.invoicing.crediting import issue_credit_note
from invoices.models import Invoice, Subscription
from invoices.subscriptions import making
from tests.confirm import confirm
from tests.factories import make_client, make_company, make_deal, make_draft, make_user
from tests.invoices.subscriptions.making import (
    asked_now,
    made_now,
    running_now,
    started,
    write,
    written_now,
)

pytestmark = pytest.mark.django_db


def url(name, *args):
    return reverse(f"invoices:{name}", args=args)


def form(**fields):
    """What the editor sends."""
    return {
        "title": "Hébergement",
        "terms": "net:30",
        "language": "fr",
        "currency": "EUR",
        "starts_on": "01/12/2026",
        "every": "1",
        "unit": "month",
        "billed": "advance",
        "prorated": "on",
        "ends": "open",
        "way": "draft",
        "lines-TOTAL_FORMS": "1",
        "lines-0-description": "Hébergement",
        "lines-0-quantity": "1",
        "lines-0-unit": "MON",
        "lines-0-unit_price": "310",
        "lines-0-vat": "S:20",
        "lines-0-nature": "services",
        **fields,
    }


def test_from_a_client_to_the_first_draft(clerk_client):
    make_company()
    client = make_client(name="Brasserie du Port")
    asked = clerk_client.get(url("subscription-new"), {"client": client.pk})
    assert "Brasserie du Port" in asked.text
    begun = clerk_client.post(url("subscription-new"), {"client": client.pk, "once": new_key()})
    found = Subscription.objects.get()
    assert begun.url == url("subscription-edit", found.pk)
    assert clerk_client.get(begun.url).status_code == 200
    to_start = clerk_client.post(
        begun.url, form(starts_on="15/10/2026", whole_from="01/11/2026", act="start")
    )
    assert to_start.url == url("subscription-start", found.pk)
    dialog = clerk_client.get(to_start.url)
    # Two are due by now, the first for its part of October.
    assert "€204.00" in dialog.text
    assert "2 invoices are due" in " ".join(dialog.text.split())
    assert confirm(clerk_client, to_start.url, {}).status_code == 303
    making.make_due(timezone.localdate())
    page = clerk_client.get(url("subscription", found.pk))
    assert "17/31" not in page.text
    nets = Invoice.objects.order_by("service_from").values_list("net_minor", flat=True)
    assert list(nets) == [round(310_00 * 17 / 31), 310_00]


def test_what_is_typed_is_shown_as_it_will_be_billed(clerk_client):
    found = written_now()
    answer = clerk_client.post(
        url("subscription-totals", found.pk), form(starts_on="15/01/2027", whole_from="01/02/2027")
    )
    assert "17/31" in answer.text
    assert "€204.00" in answer.text
    assert "€372.00" in answer.text
    found.refresh_from_db()
    assert found.title == "Hosting"


def test_what_cannot_be_read_comes_back_with_its_reason(clerk_client):
    found = written_now()
    given = form(every="0", ends="day", starts_on="31/02/2027")
    given["lines-0-unit_price"] = "a lot"
    answer = clerk_client.post(url("subscription-edit", found.pk), given)
    assert answer.status_code == 422
    for sentence in ("At least 1", "Say on which day it ends", "a lot"):
        assert sentence in answer.text
    live = clerk_client.post(url("subscription-totals", found.pk), given)
    assert live.status_code == 200


def test_the_last_day_of_each_month_is_a_box(clerk_client):
    found = written_now()
    given = form(starts_on="28/02/2027", month_end="on")
    assert clerk_client.post(url("subscription-edit", found.pk), given).status_code == 302
    found.refresh_from_db()
    assert found.month_day == 31
    wrong = clerk_client.post(
        url("subscription-edit", found.pk), form(starts_on="27/02/2027", month_end="on")
    )
    assert wrong.status_code == 422
    assert "goes by last days" in wrong.text


def test_the_page_shows_what_comes_and_its_figures_are_the_rows_they_open(clerk_client):
    on = timezone.localdate()
    found = started(way="issue", on=on, starts_on=on - timedelta(days=40))
    making.make_due(on)
    first = Invoice.objects.order_by("service_from")[0]
    issue_credit_note(invoice_id=first.pk, lines=None, reason="Wrong", by=None, on=on)
    page = clerk_client.get(url("subscription", found.pk))
    # Two invoices of 120 and the credit note on one of them.
    assert "€120.00" in page.text
    assert "3 documents" in " ".join(page.text.split())
    listed = clerk_client.get(url("list"), {"subscription": found.pk})
    assert listed.context["found_total"] == "€120.00"
    assert listed.context["page"].count == 3
    # Credited whole, its period can be billed again.
    assert "Draft it" in page.text
    assert len(page.context["coming"]) == 12


def test_what_waits_is_on_the_page_and_released_from_there(clerk_client):
    found = asked_now()
    page = clerk_client.get(url("subscription", found.pk))
    waiting = found.periods.count()
    assert f"{waiting} invoices wait for you" in page.text
    listed = clerk_client.get(url("subscriptions"), {"state": "waiting"})
    assert listed.context["page"].count == 1
    answer = confirm(clerk_client, url("subscription-release", found.pk), {})
    assert answer.status_code == 303
    assert set(found.periods.values_list("state", flat=True)) == {"to_issue"}


def test_sales_read_their_own_and_change_nothing(client):
    seller = make_user(role=User.Role.SALES)
    mine, other = made_now(owner_id=seller.pk), made_now()
    client.force_login(seller)
    assert client.get(url("subscription", mine.pk)).status_code == 200
    assert client.get(url("subscription", other.pk)).status_code == 404
    assert client.get(url("subscriptions")).context["page"].count == 1
    assert client.get(url("subscription-edit", mine.pk)).status_code == 403
    assert client.post(url("subscription-copy", mine.pk), {"once": new_key()}).status_code == 403


def test_the_list_adds_up_and_is_exported(clerk_client):
    running_now()
    made_now()
    listed = clerk_client.get(url("subscriptions"))
    assert listed.context["found_total"] == "€2,400.00"
    rows = clerk_client.get(url("subscriptions-csv"))
    assert b"Hosting" in b"".join(rows.streaming_content)


def test_an_invoice_says_which_subscription_made_it_and_another_can_be_repeated(clerk_client):
    found = made_now()
    made = Invoice.objects.get()
    assert url("subscription", found.pk) in clerk_client.get(url("edit", made.pk)).text
    draft = make_draft()
    answer = clerk_client.post(
        url("subscription-from-invoice", draft.pk), {"once": new_key()}, follow=True
    )
    assert answer.context["subscription"].repeats == draft


def test_a_deal_whose_lines_recur_offers_its_subscription(clerk_client):
    make_company()
    deal = make_deal(lines=({"quantity": 1, "unit_price": "50", "billing_frequency": "monthly"},))
    assert "Begin the subscription" in clerk_client.get(url("deal", deal.pk)).text
    clerk_client.post(url("subscription-from-deal", deal.pk), {"once": new_key()})
    assert Subscription.objects.get().deal == deal
    page = clerk_client.get(url("deal", deal.pk))
    assert "Begin the subscription" not in page.text
    assert page.status_code == 200


def test_new_prices_from_a_later_period_are_typed_in_the_editor(clerk_client):
    found = made_now()
    page = clerk_client.get(url("subscription-edit", found.pk))
    assert "The lines hold from" in page.text
    starts = found.starts_on.strftime("%d/%m/%Y")
    given = form(starts_on=starts, lines_from="3")
    assert clerk_client.post(url("subscription-edit", found.pk), given).status_code == 303
    assert found.versions.count() == 2
    # The calendar stays as it is.
    wrong = clerk_client.post(
        url("subscription-edit", found.pk), form(starts_on=starts, every="2", lines_from="3")
    )
    assert wrong.status_code == 422
    assert "end the subscription and copy it" in wrong.text


def test_one_that_was_changed_while_its_editor_was_open_is_not_overwritten(clerk_client):
    found = write(starts_on=date(2027, 1, 1))
    stamp = found.updated_at.isoformat()
    assert clerk_client.post(url("subscription-edit", found.pk), form()).status_code == 302
    late = clerk_client.post(url("subscription-edit", found.pk), form(title="Late", seen=stamp))
    assert late.status_code == 422
    assert "Save mine over it" in late.text
    over = form(title="Late", seen=stamp, act="overwrite")
    assert clerk_client.post(url("subscription-edit", found.pk), over).status_code == 302
