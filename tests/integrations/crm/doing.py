"""What tests of imports do over and over, and how they look at what is there."""

from __future__ import annotations

from datetime import date

from billing_portal.accounts.models import User
from integrations.core.runs import claim, start_sync
from integrations.crm.importing import carry_out
from integrations.models import ExternalLink, FieldMapping
from integrations.registry import open_crm
from invoices.models import (
    Client,
    ClientType,
    Contact,
    Deal,
    DealDiscount,
    DealLine,
    InvoiceEvent,
    Pipeline,
    Stage,
)

TODAY = date(2026, 11, 24)


def sync(connection, *, full=False, by=None):
    run = start_sync(connection_id=connection.pk, full=full, by=by, enqueue=False)
    return carry_out(claim(run.pk), open_crm=open_crm)


def local(kind, external_id, model):
    link = ExternalLink.objects.get(kind=kind, external_id=str(external_id))
    return model.objects.get(pk=link.local_id)


def picture():
    """Every row that an import may touch, without the bookkeeping of its runs."""
    models = (Client, ClientType, Contact, Deal, DealLine, DealDiscount, Pipeline, Stage, User)
    more = (ExternalLink, FieldMapping, InvoiceEvent)
    return {model: list(model.objects.order_by("pk").values()) for model in (*models, *more)}


def some(sandbox, many, **wanted):
    """Numbers of deals with an organisation that are in the CRM and as wanted."""
    found = [
        n
        for n, d in sandbox.world.deals.items()
        if not d["is_deleted"]
        and not d["is_archived"]
        and d["org_id"]
        and all(d[key] == value for key, value in wanted.items())
    ]
    return found[:many]
