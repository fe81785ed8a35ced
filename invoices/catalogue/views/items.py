"""The catalogue: its list, one item with where it is used, adding and changing, archiving."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.decorators import permission_required
from django.db.models import QuerySet
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from moneyed import Money

from billing_portal.acts import already, carry_out, said
from billing_portal.confirming import locked, row_under_lock
from billing_portal.editing import NotSaved, save_edit
from billing_portal.htmx import StaffRequest, render_page
from billing_portal.lists.columns import Column
from billing_portal.lists.page import Listing, show
from billing_portal.money import formatted
from billing_portal.typed.fields import LineField
from invoices.catalogue import keeping
from invoices.catalogue.forms.items import ItemForm
from invoices.catalogue.keeping import OF_THE_CRM, ItemRefused
from invoices.catalogue.usage import usage_of
from invoices.invoicing.forms.lines import UNITS, vat_label, vat_value
from invoices.models import CatalogueItem, Company
from invoices.models.natures import NATURES

VIEW, CHANGE = "invoices.view_catalogue", "invoices.change_catalogue"
LISTING = Listing(
    name="catalogue",
    title=gettext_lazy("Catalogue"),
    columns=(
        Column("name", gettext_lazy("Name"), order="name_key"),
        Column("code", gettext_lazy("Code"), order="code_key", classes="d-none d-md-table-cell"),
        Column("updated", gettext_lazy("Changed"), order="updated_at", falling=True),
    ),
    default="name",
    words=ngettext_lazy("%(n)s item", "%(n)s items", "count"),
    page="invoices/catalogue/catalogue.html",
    partial="invoices/catalogue/partials/item_list.html",
    panel="invoices/catalogue/partials/item_filter.html",
)


class FilterForm(forms.Form):
    q = LineField(label=gettext_lazy("Contains"), required=False, max_length=200)
    nature = forms.ChoiceField(
        label=gettext_lazy("Nature"),
        required=False,
        choices=[("", gettext_lazy("Goods and services")), *NATURES],
    )
    origin = forms.ChoiceField(
        label=gettext_lazy("Origin"),
        required=False,
        choices=[("", gettext_lazy("Any")), *CatalogueItem.Origin.choices],
    )
    state = forms.ChoiceField(
        label=gettext_lazy("State"),
        required=False,
        choices=[
            ("", gettext_lazy("Offered")),
            ("archived", gettext_lazy("Archived")),
            ("all", gettext_lazy("All of them")),
        ],
    )


def selected(params: QueryDict) -> tuple[QuerySet[CatalogueItem], FilterForm]:
    form = FilterForm(params)
    form.is_valid()
    wanted = form.cleaned_data
    found = CatalogueItem.objects.all()
    state = wanted.get("state")
    if state == "archived":
        found = found.filter(archived_at__isnull=False)
    elif state != "all":
        found = found.offered()
    for name in ("nature", "origin"):
        if value := wanted.get(name):
            found = found.filter(**{name: value})
    if q := wanted.get("q"):
        found = found.called(q)
    return found, form


def _row(item: CatalogueItem) -> dict[str, Any]:
    return {
        "item": item,
        # With all their decimals: a price of 0.0125 stays one.
        "prices": [
            (row.currency, formatted(Money(row.unit_price.normalize(), row.currency)))
            for row in item.prices.all()
        ],
        "unit": dict(UNITS).get(item.unit, item.unit),
        "vat": _vat_words(item),
    }


def _vat_words(item: CatalogueItem) -> str:
    if item.exemption is not None:
        return str(item.exemption)
    return vat_label(vat_value("S", item.vat_rate)) if item.vat_category else ""


@require_GET
@permission_required(VIEW, raise_exception=True)
def catalogue(request: StaffRequest) -> HttpResponse:
    rows, form = selected(request.GET)
    return show(
        request,
        LISTING,
        rows.select_related("exemption").prefetch_related("prices"),
        form=form,
        written=lambda page: [_row(item) for item in page],
    )


@require_GET
@permission_required(VIEW, raise_exception=True)
def item(request: StaffRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(
        CatalogueItem.objects.select_related("exemption").prefetch_related("prices"), pk=pk
    )
    return render_page(
        request,
        page="invoices/catalogue/item.html",
        partial="invoices/catalogue/item.html",
        context={
            **_row(found),
            "usage": usage_of(found, request.user),
            "kept_here": [OF_THE_CRM[name] for name in found.kept_here if name in OF_THE_CRM],
            "of_the_crm": [
                label for name, label in OF_THE_CRM.items() if name not in found.kept_here
            ],
        },
    )


@require_http_methods(["GET", "POST"])
@permission_required(CHANGE, raise_exception=True)
def item_edit(request: StaffRequest, pk: int | None = None) -> HttpResponse:
    found = get_object_or_404(CatalogueItem, pk=pk) if pk else None
    company = Company.ours()
    blank = CatalogueItem(nature=company.usual_nature) if company else CatalogueItem()

    def page(form: ItemForm) -> HttpResponse:
        return render_page(
            request,
            page="invoices/catalogue/item_edit.html",
            partial="invoices/catalogue/item_edit.html",
            context={"form": form, "item": found},
            status=422 if form.errors else 200,
        )

    if request.method == "GET":
        return page(ItemForm(instance=found or blank))
    answer = carry_out(
        request,
        action="item",
        act=lambda: save_edit(
            request,
            lock=lambda: locked(CatalogueItem.objects.all(), pk) if pk else blank,
            build=lambda data, row: ItemForm(data, instance=row),
            save=lambda form: form.save(),
            by=request.user,
        ),
        refused={NotSaved: lambda refusal: page(refusal.form)},
        done=lambda saved: said(
            request, _("%(name)s is saved.") % {"name": saved.name}, _url(saved.pk)
        ),
        url=lambda saved: _url(saved.pk),
    )
    assert answer is not None
    return answer


def _url(pk: int) -> str:
    return reverse("invoices:item", args=[pk])


@require_POST
@permission_required(CHANGE, raise_exception=True)
def item_archive(request: StaffRequest, pk: int) -> HttpResponse:
    """`to=offered` takes it back."""
    archived = request.POST.get("to") != "offered"
    words = (
        _("It is archived: no new line is made of it, and what was made stays.")
        if archived
        else _("It is offered again.")
    )
    return _act(
        request,
        pk,
        "archive an item",
        lambda: keeping.archive(item_id=pk, archived=archived, by=request.user),
        words,
    )


@require_POST
@permission_required(CHANGE, raise_exception=True)
def item_give_back(request: StaffRequest, pk: int) -> HttpResponse:
    return _act(
        request,
        pk,
        "give an item to the CRM",
        lambda: keeping.give_back(item_id=pk, by=request.user),
        _("The CRM fills in every field again."),
    )


def _act(request: StaffRequest, pk: int, action: str, act: Any, words: str) -> HttpResponse:
    get_object_or_404(CatalogueItem, pk=pk)
    url = _url(pk)
    answer = carry_out(
        request,
        action=action,
        confirmed=row_under_lock(CatalogueItem.objects.all(), pk),
        act=act,
        refused={ItemRefused: lambda refusal: said(request, str(refusal), url)},
        done=lambda _item: said(request, words, url),
        again=already(request),
        url=url,
    )
    assert answer is not None
    return answer
