"""Two people edit one row: each keeps what they changed, and both hear of each other."""

from __future__ import annotations

import re

import pytest
from django.test import Client as Browser
from django.urls import reverse

from billing_portal.accounts.models import User
from billing_portal.editing import sent_of
from billing_portal.forms import ModelForm
from billing_portal.idempotency import new_key
from invoices.models import Client, Company, Contact, ExemptionReason, VatRate
from reports.models import AlertRule
from tests.factories import make_client, make_client_type, make_company, make_rule, make_user
from tests.race import at_once

pytestmark = pytest.mark.django_db
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
SHOWN = re.compile(r'name="shown" value="([^"]*)"')


@pytest.fixture
def colleague():
    browser = Browser()
    browser.force_login(make_user(role="administrator", name="Yann Le Goff"), backend=BACKEND)
    return browser


def as_shown(page):
    """What the page's form would send if nobody touched it."""
    form = page.context["form"]
    sent = {name: sent_of(form[name]) for name in form.fields}
    return {**sent, "shown": SHOWN.search(page.text)[1], "once": new_key()}


def open_page(browser, url):
    page = browser.get(url)
    assert page.status_code == 200
    return as_shown(page)


def both_save(first, second, url, hers, his):
    """Both open the page; she saves, then he does."""
    her_form, his_form = open_page(first, url), open_page(second, url)
    assert first.post(url, {**her_form, **hers}).status_code in (302, 303)
    return second.post(url, {**his_form, **his})


# ─ Different fields: both are kept ──────────────────────────────────────────────────────────────
def test_two_changes_of_a_client_are_both_kept(clerk_client, colleague):
    client = make_client(city="Brest")
    url = reverse("invoices:client-edit", args=[client.pk])
    hers, his = {"delivery_address": "Quai 4"}, {"city": "Quimper"}
    assert both_save(clerk_client, colleague, url, hers, his).status_code in (302, 303)
    client.refresh_from_db()
    assert (client.delivery_address, client.city) == ("Quai 4", "Quimper")


def test_a_new_iban_does_not_become_the_old_one_again(admin_client, colleague):
    make_company(iban="FR7630006000011234567890189")
    url = reverse("company:details")
    hers = {"iban": "FR1420041010050500013M02606", "phone": "02 98 00 00 00"}
    his = {"website": "https://kerlann.example"}
    assert both_save(admin_client, colleague, url, hers, his).status_code in (302, 303)
    company = Company.objects.get()
    assert company.iban == "FR1420041010050500013M02606"
    assert company.website == "https://kerlann.example"
    assert company.phone == "02 98 00 00 00"


def test_renaming_a_rule_leaves_its_new_days_alone(clerk_client, colleague):
    rule = make_rule(days=10)
    url = reverse("reports:rule", args=[rule.pk])
    answer = both_save(clerk_client, colleague, url, {"days": "33"}, {"name": "Renamed"})
    assert answer.status_code == 303
    rule.refresh_from_db()
    assert (rule.days, rule.name) == (33, "Renamed")


def test_what_an_import_wrote_meanwhile_stays(clerk_client):
    client = make_client(city="Brest")
    url = reverse("invoices:client-edit", args=[client.pk])
    form = open_page(clerk_client, url)
    Client.objects.update(city="Lorient", address_line1="From the CRM")
    clerk_client.post(url, {**form, "note": "Calls on Mondays"})
    client.refresh_from_db()
    assert (client.city, client.note) == ("Lorient", "Calls on Mondays")
    assert client.address_line1 == "From the CRM"


def test_a_box_and_a_person_are_merged_too(admin_client, colleague):
    person = make_user(role="sales", name="Zoé")
    url = reverse("accounts:person", args=[person.pk])
    answer = both_save(admin_client, colleague, url, {"is_active": ""}, {"role": "manager"})
    assert answer.status_code in (302, 303)
    person.refresh_from_db()
    assert (person.is_active, person.role) == (False, User.Role.MANAGER)


# ─ The same field: both are shown ───────────────────────────────────────────────────────────────
def test_the_same_field_changed_by_both_is_shown_with_who_and_when(colleague, clerk_client):
    client = make_client(city="Brest")
    url = reverse("invoices:client-edit", args=[client.pk])
    answer = both_save(colleague, clerk_client, url, {"city": "Quimper"}, {"city": "Vannes"})
    assert answer.status_code == 422
    assert "Yann Le Goff made it “Quimper”" in answer.text
    assert 'value="Vannes"' in answer.text
    client.refresh_from_db()
    assert client.city == "Quimper"

    again = {**as_shown_bound(answer), "city": "Vannes"}
    assert clerk_client.post(url, {**again, "theirs": ["city"]}).status_code in (302, 303)
    client.refresh_from_db()
    assert client.city == "Quimper"
    again["once"] = new_key()
    assert clerk_client.post(url, again).status_code in (302, 303)
    client.refresh_from_db()
    assert client.city == "Vannes"


def as_shown_bound(page):
    form = page.context["form"]
    sent = {name: form.data.getlist(name) for name in form.fields}
    return {**sent, "shown": SHOWN.search(page.text)[1], "once": new_key()}


def test_a_change_that_nobody_wrote_down_has_no_name(clerk_client):
    client = make_client(city="Brest")
    url = reverse("invoices:client-edit", args=[client.pk])
    form = open_page(clerk_client, url)
    Client.objects.update(city="Lorient")
    answer = clerk_client.post(url, {**form, "city": "Vannes"})
    assert answer.status_code == 422
    assert "Meanwhile it became “Lorient”." in answer.text


def test_both_writing_the_same_is_no_conflict(clerk_client, colleague):
    client = make_client(city="Brest")
    url = reverse("invoices:client-edit", args=[client.pk])
    answer = both_save(clerk_client, colleague, url, {"city": "Vannes"}, {"city": "Vannes"})
    assert answer.status_code in (302, 303)


def test_a_mangled_token_saves_nothing(clerk_client):
    client = make_client(city="Brest")
    url = reverse("invoices:client-edit", args=[client.pk])
    form = open_page(clerk_client, url)
    answer = clerk_client.post(url, {**form, "city": "Vannes", "shown": "x" + form["shown"]})
    assert answer.status_code == 422
    assert "load it again" in answer.text
    client.refresh_from_db()
    assert client.city == "Brest"


@pytest.mark.django_db(transaction=True)
def test_saved_at_the_same_moment_nothing_is_lost():
    client = make_client(city="Brest")
    url = reverse("invoices:client-edit", args=[client.pk])
    browsers = [Browser(), Browser(), Browser()]
    for number, browser in enumerate(browsers):
        user = make_user(role="finance", name=f"Person {number}")
        browser.force_login(user, backend=BACKEND)
    wanted = [{"city": "Vannes"}, {"note": "Mondays"}, {"address_line2": "Box 3"}]
    forms = [open_page(browser, url) for browser in browsers]
    acts = [
        lambda browser=browser, form=form, change=change: browser.post(url, {**form, **change})
        for browser, form, change in zip(browsers, forms, wanted, strict=True)
    ]
    assert {answer.status_code for answer in at_once(*acts)} <= {302, 303}
    client.refresh_from_db()
    assert (client.city, client.note, client.address_line2) == ("Vannes", "Mondays", "Box 3")


# ─ No edit form can forget it ───────────────────────────────────────────────────────────────────
def all_model_forms(cls=ModelForm):
    for each in cls.__subclasses__():
        ours = each.__module__.startswith(("billing_portal", "invoices", "reports", "integrations"))
        # What several forms have in common is none of its own.
        if ours and each._meta.model:
            yield each
        yield from all_model_forms(each)


# What a form needs beside its row.
FORMS_WITH_MORE = {"SetupForm": {"currency": "EUR"}}


def test_no_form_overwrites_a_row_that_is_there_without_merging():
    import django.urls

    django.urls.get_resolver().url_patterns  # noqa: B018 - imports every view, and so every form
    found = list(all_model_forms())
    assert len(found) >= 6
    for form_class in found:
        row = form_class._meta.model()
        row._state.adding = False
        with pytest.raises(RuntimeError, match="save_edit"):
            ModelForm.save(form_class(instance=row, **FORMS_WITH_MORE.get(form_class.__name__, {})))


def test_every_edit_page_carries_what_it_showed(admin_client):
    make_company()
    client = make_client()
    contact = Contact.objects.create(client=client, name="Zoé")
    pages = [
        reverse("invoices:client-edit", args=[client.pk]),
        reverse("invoices:contact-edit", args=[client.pk, contact.pk]),
        reverse("company:details"),
        reverse("company:invoicing"),
        reverse("company:vat_rate", args=[VatRate.objects.first().pk]),
        reverse("company:exemption", args=[ExemptionReason.objects.first().pk]),
        reverse("company:client_type", args=[make_client_type("Other").pk]),
        reverse("accounts:profile"),
        reverse("accounts:person", args=[make_user(role="sales").pk]),
        reverse("reports:rule", args=[make_rule().pk]),
    ]
    for url in pages:
        text = admin_client.get(url).text
        assert SHOWN.search(text), url
        assert 'name="once"' in text, url
    assert AlertRule.objects.count() == 1


# ─ Back to where the link came from ─────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("wanted", "leads_to"),
    [
        ("/invoices/7/edit/", "/invoices/7/edit/"),
        ("https://e.vil/", None),
        ("//e.vil", None),
    ],
)
def test_a_client_that_lacked_something_leads_back_to_its_draft(wanted, leads_to, clerk_client):
    client = make_client()
    url = reverse("invoices:client-edit", args=[client.pk])
    page = clerk_client.get(url, {"next": wanted})
    answer = clerk_client.post(url, {**as_shown(page), "city": "Vannes", "next": wanted})
    assert answer["Location"] == (leads_to or reverse("invoices:client", args=[client.pk]))


@pytest.mark.parametrize("name", ["company:details"])
def test_what_the_company_lacked_leads_back_to_the_draft_too(name, admin_client):
    make_company(iban="")
    url = reverse(name)
    page = admin_client.get(url, {"next": "/invoices/7/edit/"})
    answer = admin_client.post(url, {**as_shown(page), "next": "/invoices/7/edit/"})
    assert answer["Location"] == "/invoices/7/edit/"
