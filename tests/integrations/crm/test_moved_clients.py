"""The CRM moves a client between its draft and the issue: the draft waits, with the reason."""

from __future__ import annotations

import pytest

from invoices.invoicing.drafting import new_draft, save_draft
from invoices.invoicing.freezing import IssueRefused
from invoices.invoicing.issuing import issue
from invoices.models import Client, Company, Invoice
from tests.integrations.crm.doing import TODAY, local, some, sync

IN_REUNION = {"value": "Quai 4, 97420 Le Port, La Réunion", "route": "Quai 4",
              "postal_code": "97420", "locality": "Le Port", "country": "La Réunion"}  # fmt: skip
IN_BERLIN = {"value": "Am Zoo 1, 10115 Berlin, Allemagne", "route": "Am Zoo 1",
             "postal_code": "10115", "locality": "Berlin", "country": "Allemagne"}  # fmt: skip


def test_a_client_moved_by_the_crm_is_not_issued_the_vat_of_before(crm, sandbox):
    number = sandbox.world.deals[some(sandbox, 1)[0]]["org_id"]
    sandbox.world.change_organization(number, address=IN_REUNION)
    sync(crm, full=True)
    client = local("organization", number, Client)
    assert (client.country, client.postal_code) == ("RE", "97420")
    Client.objects.filter(pk=client.pk).update(vat_id="")
    draft = new_draft(client_id=client.pk, by=None, on=TODAY)
    line = {"description": "Work", "unit_price": 1000, "vat_category": "S", "vat_rate": "8.5"}
    assert not save_draft(invoice_id=draft.pk, header={}, lines=[line], by=None)
    sandbox.world.change_organization(number, address=IN_BERLIN)
    for _again in range(2):
        sync(crm)
        client.refresh_from_db()
        assert (client.country, client.city) == ("DE", "Berlin")
        with pytest.raises(IssueRefused, match="it is taxed in metropolitan France"):
            issue(invoice_id=draft.pk, by=None, on=TODAY)
    draft.refresh_from_db()
    assert (draft.status, draft.vat_minor, Invoice.objects.count()) == ("draft", 85_00, 1)
    assert Company.ours() is not None
