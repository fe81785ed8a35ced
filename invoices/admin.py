"""The admin site reads the books and changes nothing in them: pages and commands do."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from invoices.models import (
    Allocation,
    ClientType,
    Document,
    ExchangeRate,
    Invoice,
    InvoiceEvent,
    InvoiceLine,
    LatePenaltyRate,
    Message,
    NumberPattern,
    NumberSeries,
    Payment,
    VatBreakdown,
    VatCheck,
)


class ReadOnly:
    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class LineInline(ReadOnly, admin.TabularInline):  # type: ignore[type-arg]
    model = InvoiceLine
    extra = 0


class VatInline(ReadOnly, admin.TabularInline):  # type: ignore[type-arg]
    model = VatBreakdown
    extra = 0


class EventInline(ReadOnly, admin.TabularInline):  # type: ignore[type-arg]
    model = InvoiceEvent
    extra = 0


class InvoiceAllocationInline(ReadOnly, admin.TabularInline):  # type: ignore[type-arg]
    model = Allocation
    fk_name = "invoice"
    extra = 0


class PaymentAllocationInline(ReadOnly, admin.TabularInline):  # type: ignore[type-arg]
    model = Allocation
    fk_name = "payment"
    extra = 0


@admin.register(Invoice)
class InvoiceAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["__str__", "kind", "status", "client", "issue_date", "due_date", "currency"]
    list_filter = ["kind", "status", "currency", "imported"]
    search_fields = ["number", "client__name"]
    list_select_related = ["client"]
    show_full_result_count = False
    inlines = [LineInline, VatInline, InvoiceAllocationInline, EventInline]


@admin.register(Payment)
class PaymentAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["__str__", "client", "received_on", "amount_minor", "currency", "method"]
    list_filter = ["method", "currency"]
    search_fields = ["reference", "client__name"]
    list_select_related = ["client"]
    show_full_result_count = False
    inlines = [PaymentAllocationInline]


@admin.register(Document)
class DocumentAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["filename", "invoice", "size", "sha256", "created_at"]
    exclude = ["content"]
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).defer("content").select_related("invoice")


@admin.register(Message)
class MessageAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["subject", "kind", "state", "attempts", "created_at", "sent_at"]
    list_filter = ["state", "kind"]
    search_fields = ["subject", "reason_key"]
    show_full_result_count = False


@admin.register(VatCheck)
class VatCheckAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """The whole answer stands here; the client's page shows what it says."""

    list_display = ["vat_id", "client", "on", "answer", "consultation", "asked_by"]
    list_filter = ["answer"]
    search_fields = ["vat_id", "consultation", "client__name"]
    list_select_related = ["client", "asked_by"]
    show_full_result_count = False


@admin.register(NumberSeries)
class NumberSeriesAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["__str__", "kind", "period", "next_value", "last_issue_date", "ended_on"]


@admin.register(NumberPattern)
class NumberPatternAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["kind", "prefix", "width", "restart"]


admin.site.register([ClientType, ExchangeRate, LatePenaltyRate])
