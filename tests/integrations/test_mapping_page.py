"""The page of the field mapping: what it shows, keeps, previews, and applies."""

from __future__ import annotations

import pytest
from django.urls import reverse

from billing_portal.idempotency import new_key
from integrations.core.runs import claim, start_sync
from integrations.crm.importing import carry_out
from integrations.models import FieldMapping, SyncRun
from integrations.registry import open_crm
from invoices.models import Client, ClientType

INDEX = "/integrations/"
HTMX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def _demo(settings):
    settings.DEMO = True


def test_the_first_import_maps_by_name_and_the_page_shows_it(admin_client, imported, sandbox):
    assert {row.target: row.code for row in FieldMapping.objects.all()} == {
        "client_type": sandbox.world.keys["client_type"],
        "vat_id": sandbox.world.keys["vat_id"],
        "siren": sandbox.world.keys["siren"],
        "payment_terms": sandbox.world.keys["payment_terms"],
        "billing_email": sandbox.world.keys["billing_email"],
        "language": sandbox.world.keys["language"],
        "purchase_order": sandbox.world.keys["purchase_order"],
        "service_period": sandbox.world.keys["service_period"],
    }
    page = admin_client.get(reverse("integrations:mapping")).text
    assert "unknown option" in page
    assert "999, as in Verrerie de Kerfany SAS" in page
    assert "Client type (1)" in " ".join(admin_client.get(INDEX).text.split())


def _entry(browser):
    """What the page's form would send as it stands."""
    form = browser.get(reverse("integrations:mapping")).context["form"]
    shown = {name: form[name].value() or "" for name in form.fields}
    return {**shown, "once": new_key()}


def test_an_unknown_option_gets_a_meaning_and_a_full_import_applies_it(
    admin_client, imported, sandbox
):
    sme = ClientType.objects.get(name="SME")
    entry = {**_entry(admin_client), "option_client_type_999": str(sme.pk)}
    answer = admin_client.post(reverse("integrations:mapping"), entry, follow=True)
    assert "The mapping is saved" in answer.text
    assert FieldMapping.objects.get(target="client_type").unknown == {}
    carry_out(
        claim(start_sync(connection_id=imported.pk, full=True, by=None, enqueue=False).pk),
        open_crm=open_crm,
    )
    assert Client.objects.get(name="Verrerie de Kerfany SAS").client_type == sme


def test_the_button_that_applies_the_mapping_saves_what_was_changed_first(admin_client, imported):
    page = admin_client.get(reverse("integrations:mapping")).text
    # No form beside the mapping's own: what was chosen would be dropped with its page.
    assert reverse("integrations:start") not in page
    sme = ClientType.objects.get(name="SME")
    entry = {**_entry(admin_client), "option_client_type_999": str(sme.pk), "act": "apply"}
    answer = admin_client.post(reverse("integrations:mapping"), entry)
    run = SyncRun.objects.first()
    assert (run.full, run.state) == (True, SyncRun.State.QUEUED)
    assert answer["Location"] == reverse("integrations:run", args=[run.pk])
    assert FieldMapping.objects.get(target="client_type").options["999"] == str(sme.pk)


def test_a_mapping_is_saved_though_another_import_runs(admin_client, imported):
    start_sync(connection_id=imported.pk, full=False, by=None, enqueue=False)
    entry = {**_entry(admin_client), "source_vat_id": "", "act": "apply"}
    answer = admin_client.post(reverse("integrations:mapping"), entry, follow=True)
    assert "An import is running already" in answer.text
    assert not FieldMapping.objects.filter(target="vat_id").exists()


def test_an_option_may_become_a_new_type(admin_client, imported):
    entry = {**_entry(admin_client), "option_client_type_31": "new"}
    ClientType.objects.filter(name="Large account").update(name="Renamed here")
    admin_client.post(reverse("integrations:mapping"), entry)
    made = ClientType.objects.get(name="Large account")
    assert FieldMapping.objects.get(target="client_type").options["31"] == str(made.pk)


def test_another_field_shows_its_options_before_anything_is_saved(admin_client, imported, sandbox):
    key = sandbox.world.keys["language"]
    entry = {**_entry(admin_client), "source_client_type": f"organization:{key}", "act": "fields"}
    answer = admin_client.post(reverse("integrations:mapping"), entry, headers=HTMX)
    assert answer.status_code == 200
    assert "option_client_type_51" in answer.text
    assert FieldMapping.objects.get(target="client_type").code != key


def test_a_field_taken_away_is_no_longer_mapped(admin_client, imported):
    entry = {**_entry(admin_client), "source_vat_id": ""}
    admin_client.post(reverse("integrations:mapping"), entry)
    assert not FieldMapping.objects.filter(target="vat_id").exists()


def test_a_field_that_does_not_exist_is_refused(admin_client, imported):
    entry = {**_entry(admin_client), "source_vat_id": "organization:nonsense"}
    assert admin_client.post(reverse("integrations:mapping"), entry).status_code == 422


def test_the_preview_shows_five_real_deals_and_saves_nothing(admin_client, imported, sandbox):
    runs = SyncRun.objects.count()
    entry = _entry(admin_client)
    answer = admin_client.post(reverse("integrations:mapping_preview"), entry, headers=HTMX)
    assert len(answer.context["examples"]) == 5
    assert "<html" not in answer.text
    assert SyncRun.objects.count() == runs
    without = {**entry, "source_client_type": ""}
    answer = admin_client.post(reverse("integrations:mapping_preview"), without, headers=HTMX)
    assert all(each.client_type is None for each in answer.context["examples"])
    assert admin_client.get(reverse("integrations:mapping_preview")).status_code == 200


def test_a_preview_that_fails_says_why(admin_client, imported, sandbox):
    entry = _entry(admin_client)
    sandbox.inject("401", path="/api/v2/deals")
    answer = admin_client.post(reverse("integrations:mapping_preview"), entry, headers=HTMX)
    assert answer.status_code == 200
    assert "does not accept the API token" in answer.text
    sandbox.faults.clear()
