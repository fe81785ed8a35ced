"""Read-only: a connection is made on its page, and what came in came from the CRM."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from integrations.models import ExternalLink, SyncRun


class ReadOnly(admin.ModelAdmin):  # type: ignore[type-arg]
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(SyncRun)
class SyncRunAdmin(ReadOnly):
    list_display = ["queued_at", "connection", "full", "state", "created", "updated", "refused"]
    list_filter = ["state", "full"]


@admin.register(ExternalLink)
class ExternalLinkAdmin(ReadOnly):
    list_display = ["provider", "kind", "external_id", "local_id"]
    list_filter = ["kind"]
    search_fields = ["external_id"]
