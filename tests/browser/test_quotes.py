"""A quote in real browsers: written by us, read, chosen, accepted and declined by the client."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from billing_portal.accounts.models import User
from invoices.models import Quote, QuoteAcceptance
from invoices.models.quotes import State
from invoices.quotes import beginning, links, sending
from tests.browser.conftest import axe, new_context, settled, sign_in
from tests.factories import make_client, make_company, make_user
from tests.invoices.quotes.making import CHOICES, line, save, send_quote

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def _no_counts():
    cache.clear()


@pytest.fixture
def today():
    make_company()
    return timezone.localdate()


def sent(today, **fields):
    client = make_client(name="Menuiserie Guérin", language="en")
    return send_quote(on=today, lines=CHOICES, client=client, **fields)


def opened(page, live_site, version):
    page.goto(live_site.url + links.path_of(version))
    settled(page)


def test_from_the_editor_to_the_clients_acceptance(page, chromium, live_site, today):
    boss = make_user(role=User.Role.FINANCE)
    client = make_client(name="Menuiserie Guérin", language="en")
    quote = beginning.new_quote(client_id=client.pk, by=boss, on=today)
    sign_in(page, live_site, boss)
    page.goto(live_site.url + reverse("invoices:quote-edit", args=[quote.pk]))
    page.get_by_label("Title").fill("Site office app")
    page.get_by_label("Description, line 1").fill("Design")
    page.get_by_label("Unit price, line 1").fill("1000")
    page.get_by_role("button", name="Add a line").click()
    page.get_by_label("Description, line 2").fill("Training")
    page.get_by_label("Unit price, line 2").fill("200")
    page.get_by_label("Included or to choose, line 2").select_option("option")
    # Totals follow while it is typed: the option is not ticked.
    expect(page.locator("#totals .owed")).to_have_text("€1,200.00")
    axe(page)
    page.get_by_role("button", name="Send…").click()
    page.get_by_role("button", name="Only make the link").click()
    link = page.get_by_label("To hand it over in another way than by email").input_value()
    assert "/quote/" in link
    # Somebody else, on a phone, without an account.
    context = new_context(chromium, viewport={"width": 390, "height": 844})
    guest = context.new_page()
    guest.goto(live_site.url + link[link.index("/quote/") :])
    expect(guest.get_by_role("heading", level=1)).to_have_text("Site office app")
    guest.get_by_label("Training").check()
    expect(guest.get_by_role("button", name="Accept for €1,440.00 including VAT")).to_be_visible()
    axe(guest)
    guest.get_by_label("Your first and last name").fill("Gaëlle Guérin")
    guest.get_by_label("I may commit Menuiserie Guérin").check()
    guest.get_by_role("button", name="Accept for €1,440.00 including VAT").click()
    expect(guest.get_by_role("heading", name="Thank you, it is noted")).to_be_visible()
    with guest.expect_download() as file:
        guest.get_by_role("link", name="Keep the accepted PDF").click()
    assert file.value.suggested_filename.endswith("-accepted.pdf")
    axe(guest)
    context.close()
    found = QuoteAcceptance.objects.get()
    assert (found.name, found.total_minor) == ("Gaëlle Guérin", 1440_00)
    assert found.user_agent.startswith("Mozilla")
    page.reload()
    expect(page.get_by_text("Gaëlle Guérin accepted version 1 for €1,440.00")).to_be_visible()
    # Opened on the phone, it was noted as read before it was accepted.
    assert Quote.objects.get().version.viewed_at is not None


def test_what_is_missing_is_said_and_nothing_chosen_is_lost(page, live_site, today):
    quote = sent(today)
    opened(page, live_site, quote.version)
    page.get_by_label("Line at 200").check()
    page.get_by_role("button", name="Accept for €1,980.00 including VAT").click()
    expect(page.get_by_text("Write your name: it stands for the agreement.")).to_be_visible()
    expect(page.get_by_label("Line at 200")).to_be_checked()
    axe(page)
    assert not QuoteAcceptance.objects.exists()


def test_without_script_the_total_is_worked_out_on_request(chromium, live_site, today):
    quote = sent(today)
    context = new_context(chromium, java_script_enabled=False)
    page = context.new_page()
    page.goto(live_site.url + links.path_of(quote.version))
    page.get_by_label("Line at 300").check()
    page.get_by_role("button", name="Work the total out again").click()
    expect(page.get_by_role("button", name="Accept for €1,620.00 including VAT")).to_be_visible()
    page.get_by_label("Your first and last name").fill("Gaëlle Guérin")
    page.get_by_label("I may commit Menuiserie Guérin").check()
    page.get_by_role("button", name="Accept for €1,620.00 including VAT").click()
    expect(page.get_by_role("heading", name="Thank you, it is noted")).to_be_visible()
    context.close()


def test_declining_folds_open_and_is_taken_back(page, live_site, today):
    quote = sent(today)
    opened(page, live_site, quote.version)
    page.get_by_text("Decline this quote…").click()
    page.get_by_label("The price").check()
    page.get_by_label("A few words").fill("Too dear")
    page.get_by_role("button", name="Decline the quote").click()
    expect(page.get_by_role("heading", name="You declined this quote")).to_be_visible()
    axe(page)
    quote.version.refresh_from_db()
    assert quote.version.status == State.DECLINED
    page.get_by_role("button", name="Read it again and decide anew").click()
    expect(page.get_by_role("heading", name="Accept this quote")).to_be_visible()


def test_expired_replaced_withdrawn_and_forged_say_so(page, live_site, today):
    old = send_quote(on=today - timedelta(days=50), to=(), client=make_client(language="en"))
    opened(page, live_site, old.version)
    page.get_by_role("button", name="Ask for a new version").click()
    expect(page.get_by_text("You asked for a new version")).to_be_visible()
    axe(page)
    quote = sent(today)
    first = quote.version
    newer = beginning.new_version(quote_id=quote.pk, by=None, on=today)
    save(newer, [line("900")])
    sending.send(version_id=newer.pk, recipients=list(first.recipients), by=None, on=today)
    opened(page, live_site, first)
    axe(page)
    page.get_by_role("link", name="Read version 2").click()
    page.get_by_text("What changes since version 1").click()
    expect(page.get_by_text("no longer in it").first).to_be_visible()
    sending.withdraw(quote_id=quote.pk, reason="", by=None, on=today)
    page.reload()
    expect(page.get_by_role("heading", name="We withdrew this quote")).to_be_visible()
    page.complaints.expected.append("status of 404")
    page.goto(live_site.url + "/quote/forged/")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    axe(page)


@pytest.mark.parametrize(("width", "scheme", "lang"), [(1440, "light", "fr"), (390, "dark", "fr")])
def test_the_longest_words_stay_within_the_screen(page, live_site, today, width, scheme, lang):
    long = make_client(name="Communauté-d’agglomération-" * 9, language=lang)
    quote = send_quote(
        on=today, client=long, lines=[{**line("1"), "description": "M" * 250}, *CHOICES]
    )
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)
    opened(page, live_site, quote.version)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    axe(page)
