"""The client's page asks VIES about the client's VAT id and keeps what it says."""

from __future__ import annotations

import html
import io
import re

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.urls import reverse

from billing_portal.idempotency import new_key
from invoices.clients import vat_checks
from invoices.clients.merging import merge_clients
from invoices.clients.vat_checks import JustAsked, NotAsked
from invoices.models import Client, VatCheck
from tests import clock
from tests.factories import make_client, make_company
from tests.page_forms import PageForms
from tests.race import at_once

GERMAN = "DE833179165"
UNKNOWN = "DE129273398"
OURS = "FR44732829320"
ON = clock.days_ago(0)
HTMX = {"HX-Request": "true"}


@pytest.fixture
def german(db):
    make_company()
    return make_client(country="DE", vat_id=GERMAN, postal_code="10115", siren="")


def page_of(browser, client, **headers):
    return html.unescape(browser.get(reverse("invoices:client", args=[client.pk]), **headers).text)


def words_of(browser, client):
    """The line beside the VAT id and what stands below it, without markup."""
    panel = page_of(browser, client).partition('id="vat-check"')[2].partition("</dd>")[0]
    return " ".join(re.sub(r"<[^>]+>", " ", panel.partition(">")[2]).replace("\u00a0", " ").split())


def click(browser, client, *, key="", **headers):
    """Press the button as its page shows it."""
    url = reverse("invoices:client-ask-vat", args=[client.pk])
    forms = dict(PageForms(page_of(browser, client)).found)
    return browser.post(url, {**forms[url], **({"once": key} if key else {})}, **headers)


def test_the_answer_stands_beside_the_id_with_its_day_and_number(vies, clerk_client, clerk, german):
    assert words_of(clerk_client, german) == "VIES was never asked Ask VIES"
    answer = click(clerk_client, german)
    assert answer.status_code == 303
    assert answer["Location"] == f"/clients/{german.pk}/#vat-check"
    told = words_of(clerk_client, german)
    assert told.startswith("Valid in VIES on 25 Nov 2026 · consultation WAPIAAAAZ0000001 ")
    assert "Its state tells neither name nor address." in told
    kept = VatCheck.objects.get()
    assert (kept.client, kept.vat_id, kept.requester) == (german, GERMAN, OURS)
    assert (kept.on, kept.asked_by, kept.answer) == (ON, clerk, "valid")
    assert kept.asked_at <= kept.answered_at
    assert '"valid": true' in kept.raw


def test_htmx_gets_the_panel_alone_and_screen_readers_hear_it(vies, clerk_client, german):
    Client.objects.filter(pk=german.pk).update(vat_id=UNKNOWN)
    answer = click(clerk_client, german, headers=HTMX)
    assert answer.status_code == 200
    text = html.unescape(answer.text)
    assert "<html" not in text
    assert text.startswith('<div class="vat-check" id="vat-check"')
    assert "Not valid in VIES on" in text.partition('id="announce"')[2]


def test_name_and_address_are_shown_as_vies_tells_them(vies, clerk_client, german):
    Client.objects.filter(pk=german.pk).update(country="AT", vat_id="ATU 72982347")
    click(clerk_client, german)
    told = words_of(clerk_client, german)
    assert "Ennsbrücke Handels GmbH, Grabenstraße 12, AT-4470 Enns" in told
    assert vies.register.asked[0]["vatNumber"] == "U72982347"


def test_a_second_click_within_a_minute_asks_nothing(vies, clerk_client, admin_client, german):
    click(clerk_client, german)
    # The very same form again, then another one, then a colleague's.
    key = new_key()
    assert click(clerk_client, german, key=key, headers=HTMX).status_code == 200
    assert click(clerk_client, german, key=key, headers=HTMX).status_code == 200
    answer = click(admin_client, german, headers=HTMX)
    assert answer.status_code == 200
    assert "it is not asked twice" in answer.text
    assert vies.count() == VatCheck.objects.count() == 1
    clock.later(seconds=61)
    click(clerk_client, german)
    assert vies.count() == VatCheck.objects.count() == 2


def test_one_form_sent_twice_asks_once_also_after_the_minute(vies, clerk_client, german):
    key = new_key()
    click(clerk_client, german, key=key)
    clock.later(minutes=5)
    answer = click(clerk_client, german, key=key, headers=HTMX)
    assert "Valid in VIES" in answer.text
    assert vies.count() == 1


def test_a_form_without_its_key_asks_nothing(vies, clerk_client, german):
    url = reverse("invoices:client-ask-vat", args=[german.pk])
    assert clerk_client.post(url).status_code == 400
    assert vies.count() == VatCheck.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_two_clicks_at_once_ask_once(vies, clerk, german):
    vies.inject("slow", delay=0.5)

    def press():
        return vat_checks.finish(vat_checks.begin(client_id=german.pk, by=clerk, on=ON))

    told = at_once(*[press] * 4)
    assert sum(isinstance(each, JustAsked) for each in told) == 3
    assert vies.count() == 1
    assert VatCheck.objects.get().answer == "valid"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("same_form", [True, False])
def test_two_clicks_at_once_on_the_page_ask_once(vies, clerk, client, german, same_form):
    vies.inject("slow", delay=0.5)
    client.force_login(clerk, backend="allauth.account.auth_backends.AuthenticationBackend")
    url, key = reverse("invoices:client-ask-vat", args=[german.pk]), new_key()
    keys = [key, key if same_form else new_key()]
    told = at_once(*(lambda key=key: client.post(url, {"once": key}, headers=HTMX) for key in keys))
    assert [answer.status_code for answer in told] == [200, 200]
    assert vies.count() == VatCheck.objects.count() == 1
    assert words_of(client, german).startswith("Valid in VIES")


@pytest.mark.django_db(transaction=True)
def test_while_vies_thinks_nobody_waits_and_a_colleague_sees_it(vies, clerk_client, clerk, german):
    """No lock is held: another clerk saves the very client meanwhile."""
    vies.inject("slow", delay=1.0)
    check = vat_checks.begin(client_id=german.pk, by=clerk, on=ON)

    def meanwhile():
        told = words_of(clerk_client, german)
        Client.objects.filter(pk=german.pk).update(note="Saved meanwhile")
        return told, VatCheck.objects.get().answer

    _kept, (told, answer) = at_once(lambda: vat_checks.finish(check), meanwhile)
    assert told.startswith("VIES is being asked The answer may take some seconds.")
    assert answer == "asked"
    assert VatCheck.objects.get().answer == "valid"


def test_an_answer_is_for_the_id_as_it_was(vies, clerk_client, german):
    click(clerk_client, german)
    Client.objects.filter(pk=german.pk).update(vat_id=UNKNOWN)
    told = words_of(clerk_client, german)
    assert told.startswith("VIES was never asked")
    assert GERMAN in told
    # Another id is another question, also within the minute.
    click(clerk_client, german)
    told = words_of(clerk_client, german)
    assert told.startswith("Not valid in VIES on 25 Nov 2026 · consultation")
    assert vies.count() == 2
    # Back again, its own answer counts again.
    Client.objects.filter(pk=german.pk).update(vat_id=GERMAN)
    assert words_of(clerk_client, german).startswith("Valid in VIES")


def test_what_brought_no_answer_is_told_and_leaves_the_last_answer(vies, clerk_client, german):
    vies.register.trouble("DE", "MS_UNAVAILABLE", 2)
    click(clerk_client, german)
    assert words_of(clerk_client, german).startswith(
        "VIES could not be asked Asked on 25 Nov, 10:00: The register of Germany did not answer. "
        "Ask VIES again"
    )
    assert VatCheck.objects.get().trouble["code"] == "vies.state"
    for _each in range(3):
        clock.later(minutes=2)
        click(clerk_client, german)
    clock.later(minutes=2)
    vies.inject("dropped")
    click(clerk_client, german)
    told = words_of(clerk_client, german)
    assert told.startswith("Valid in VIES on 25 Nov 2026")
    assert "The connection to VIES (127.0.0.1) broke off." in told
    answers = list(VatCheck.objects.values_list("answer", flat=True))
    assert answers == ["none", "valid", "valid", "none", "none"]


def test_whoever_is_killed_while_asking_leaves_a_question_that_can_be_asked_again(
    vies, clerk_client, clerk, german
):
    vat_checks.begin(client_id=german.pk, by=clerk, on=ON)
    assert words_of(clerk_client, german).startswith("VIES is being asked")
    clock.later(seconds=61)
    told = words_of(clerk_client, german)
    assert told.startswith("VIES could not be asked Asked on 25 Nov, 10:00, and no answer was kept")
    click(clerk_client, german)
    assert words_of(clerk_client, german).startswith("Valid in VIES")


@pytest.mark.parametrize(
    ("vat_id", "told"),
    [
        ("", ""),
        ("CHE123456788", "“CHE123456788” is not written as one of them."),
        ("GB803586288", "“GB803586288” is not written as one of them."),
        ("DE123456789", "“DE123456789” is not written as one of them."),
        ("GR121553981", "“GR121553981” is not written as one of them."),
    ],
)
def test_others_than_ids_of_the_union_are_not_asked_about(vies, clerk_client, german, vat_id, told):
    Client.objects.filter(pk=german.pk).update(vat_id=vat_id)
    assert words_of(clerk_client, german).endswith(told)
    assert "Ask VIES" not in page_of(clerk_client, german)
    url = reverse("invoices:client-ask-vat", args=[german.pk])
    for headers, status in ((HTMX, 422), ({}, 303)):
        answer = clerk_client.post(url, {"once": new_key()}, headers=headers, follow=False)
        assert answer.status_code == status
    assert vies.count() == VatCheck.objects.count() == 0
    with pytest.raises(NotAsked):
        vat_checks.begin(client_id=german.pk, by=None, on=ON)


def test_northern_ireland_is_asked_about(vies, clerk_client, german):
    Client.objects.filter(pk=german.pk).update(country="GB", vat_id="XI803586288")
    click(clerk_client, german)
    assert "LAGAN FREIGHT LTD" in words_of(clerk_client, german)


def test_without_an_id_of_ours_there_is_no_consultation_number(vies, clerk_client, german):
    make_company(vat_id="")
    click(clerk_client, german)
    assert words_of(clerk_client, german).startswith("Valid in VIES on 25 Nov 2026 Its state")


@pytest.mark.parametrize(("days", "is_old"), [(vat_checks.FRESH_DAYS, False), (32, True)])
def test_an_old_answer_says_how_old_it_is(vies, clerk, client, german, days, is_old):
    vat_checks.finish(vat_checks.begin(client_id=german.pk, by=None, on=ON))
    clock.later(days=days)
    client.force_login(clerk, backend="allauth.account.auth_backends.AuthenticationBackend")
    told = words_of(client, german)
    assert told.startswith("Valid in VIES on 25 Nov 2026")
    assert ("That was 32 days ago: ask again before" in told) is is_old


def test_twin_clients_share_what_is_known_of_their_id(vies, clerk_client, german):
    twin = make_client(country="DE", vat_id="DE 833 179 165")
    click(clerk_client, german)
    assert words_of(clerk_client, twin).startswith("Valid in VIES")
    merge_clients(loser_id=twin.pk, winner_id=german.pk, at=VatCheck.objects.get().asked_at)
    assert words_of(clerk_client, twin).startswith("Valid in VIES")


def test_the_history_shows_the_latest_and_counts_the_rest(german, clerk_client, clerk):
    for number in range(23):
        VatCheck.objects.create(
            client=german, vat_id=GERMAN, asked_at=f"2026-10-{number + 1:02d}T08:00Z",
            answered_at=f"2026-10-{number + 1:02d}T08:00Z", on=f"2026-10-{number + 1:02d}",
            asked_by=clerk, answer="valid", consultation=f"WAPI{number:02d}",
        )  # fmt: skip
    told = words_of(clerk_client, german)
    assert told.count("WAPI") == 1 + 20
    assert "WAPI22" in told
    assert "and 3 earlier ones" in told
    assert "Maëlle Kervadec" in told


def test_only_finance_asks_and_managers_read(vies, clerk_client, manager_client, german):
    click(clerk_client, german)
    assert "Valid in VIES" in words_of(manager_client, german)
    assert "Ask VIES" not in page_of(manager_client, german)
    url = reverse("invoices:client-ask-vat", args=[german.pk])
    assert manager_client.post(url, {"once": new_key()}).status_code == 403
    assert vies.count() == 1


def test_in_french(vies, clerk, clerk_client, german):
    clerk.language = "fr"
    clerk.save()
    click(clerk_client, german)
    assert "WAPIAAAAZ0000001" in words_of(clerk_client, german)
    assert "25 nov. 2026" in words_of(clerk_client, german)


# ─ What the database keeps ──────────────────────────────────────────────────────────────────────
def refuses(name):
    return pytest.raises(IntegrityError, match=name)


def test_what_was_said_is_neither_changed_nor_deleted(vies, german):
    kept = vat_checks.finish(vat_checks.begin(client_id=german.pk, by=None, on=ON))
    rows = VatCheck.objects.filter(pk=kept.pk)
    for change in ({"answer": "invalid"}, {"name": "Another"}, {"consultation": ""}, {"raw": ""}):
        with refuses("what_was_said_of_a_vat_id_stays"), transaction.atomic():
            rows.update(**change)
    with refuses("questions_about_vat_ids_are_kept"), transaction.atomic():
        rows.delete()
    kept.answer = "invalid"
    with refuses("what_was_said_of_a_vat_id_stays"), transaction.atomic():
        kept.save()


def test_a_question_that_waits_stays_the_question_it_was(german):
    check = vat_checks.begin(client_id=german.pk, by=None, on=ON)
    rows = VatCheck.objects.filter(pk=check.pk)
    other = make_client()
    for change in ({"vat_id": UNKNOWN}, {"client": other}, {"on": "2026-01-01"}):
        with refuses("what_was_said_of_a_vat_id_stays"), transaction.atomic():
            rows.update(**change)
    with refuses("an_answer_about_a_vat_id_has_its_moment"), transaction.atomic():
        rows.update(answer="valid")
    with refuses("no_answer_about_a_vat_id_has_its_reason"), transaction.atomic():
        rows.update(answer="none", answered_at=check.asked_at)


# ─ From the shell ───────────────────────────────────────────────────────────────────────────────
def told_by(*arguments):
    out = io.StringIO()
    call_command("vies", *arguments, stdout=out)
    return out.getvalue().strip()


def test_the_command_asks_as_the_page_does(vies, german):
    assert told_by(GERMAN, "--dry-run") == f"Would ask about {GERMAN}, of {german}."
    assert vies.count() == 0
    assert told_by(GERMAN) == f"{GERMAN}: Valid WAPIAAAAZ0000001"
    for vat_id, text in ((GERMAN, "not asked twice"), (UNKNOWN, "No client has the VAT id")):
        with pytest.raises(CommandError, match=text):
            told_by(vat_id)
    clock.later(minutes=2)
    vies.register.trouble("DE", "TIMEOUT")
    with pytest.raises(CommandError, match="The register of Germany did not answer"):
        told_by(GERMAN)
    assert VatCheck.objects.count() == 2
