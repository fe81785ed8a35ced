from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from reports.models import Alert, AlertRule


@admin.register(AlertRule)
class AlertRuleAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("name", "kind", "active", "days", "cooldown_days", "updated_at")
    list_filter = ("kind", "active")
    search_fields = ("name",)


@admin.register(Alert)
class AlertAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """What was said stays as it was said."""

    list_display = ("reason_key", "rule", "fired_on", "state", "handled_by")
    list_filter = ("state", "rule")
    date_hierarchy = "fired_on"
    list_select_related = ("rule", "handled_by")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
