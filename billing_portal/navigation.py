"""What every page's frame shows: sections, the company's name, and what people may open."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.apps import apps
from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext_lazy as _


class Section(NamedTuple):
    key: str
    label: Any
    icon: str
    url_name: str
    permission: str
    # Paths that belong to it, beside its own.
    also: tuple[str, ...] = ()
    # The letter that leads there after "g" (static/portal/keys.js), the same in each language.
    shortcut: str = ""


WORK = (
    Section("desk", _("Desk"), "layout-dashboard", "reports:desk", "reports.view_desk", (), "d"),
    Section("deals", _("Deals"), "briefcase", "invoices:deals", "invoices.view_deal", (), "b"),
    Section("quotes", _("Quotes"), "writing", "invoices:quotes", "invoices.view_quote", (), "q"),
    Section(
        "invoices",
        _("Invoices"),
        "file-invoice",
        "invoices:list",
        "invoices.view_invoice",
        ("/history/", "/write-offs/", "/journal/"),
        "i",
    ),
    Section(
        "subscriptions",
        _("Subscriptions"),
        "repeat",
        "invoices:subscriptions",
        "invoices.view_subscription",
        (),
        "u",
    ),
    Section(
        "catalogue",
        _("Catalogue"),
        "tags",
        "invoices:catalogue",
        "invoices.view_catalogue",
        (),
        "l",
    ),
    Section(
        "clients",
        _("Clients"),
        "building",
        "invoices:clients",
        "invoices.view_client",
        ("/late-claims/", "/account-letters/"),
        "c",
    ),
    Section(
        "payments",
        _("Payments"),
        "cash",
        "invoices:payments",
        "invoices.view_payment",
        ("/refunds/",),
        "p",
    ),
    Section("mails", _("Emails"), "mail", "invoices:mail", "invoices.view_mail", (), "m"),
)
WATCH = (
    Section(
        "reports",
        _("Reports"),
        "chart-histogram",
        "reports:delays",
        "reports.view_reports",
        ("/reports/",),
        "r",
    ),
    Section("alerts", _("Alerts"), "bell", "reports:alerts", "reports.view_alert", (), "a"),
    Section(
        "integrations",
        _("Integrations"),
        "plug-connected",
        "integrations:index",
        "integrations.view_connection",
        (),
        "s",
    ),
    Section(
        "settings",
        _("Settings"),
        "settings",
        "accounts:settings",
        "accounts.change_company",
        (),
        "t",
    ),
)


def _may(request: HttpRequest, permission: str) -> bool:
    # An error page may be shown before anybody is known.
    user = getattr(request, "user", None)
    return user is not None and user.has_perm(permission)


def _entries(request: HttpRequest, sections: tuple[Section, ...]) -> list[dict[str, Any]]:
    shown = []
    for section in sections:
        url = reverse(section.url_name)
        if not _may(request, section.permission):
            continue
        prefixes = (url, *section.also) if url != "/" else section.also
        shown.append(
            {
                "key": section.key,
                "label": section.label,
                "icon": section.icon,
                "url": url,
                "current": request.path == url or request.path.startswith(prefixes or ("\0",)),
                "shortcut": section.shortcut,
            }
        )
    return shown


def company_name() -> str:
    # By name: the shell imports no app (docs/architecture.md).
    company = apps.get_model("invoices", "Company")
    return company.objects.filter(pk=1).values_list("name", flat=True).first() or ""


def _frame(request: HttpRequest) -> dict[str, Any]:
    name = company_name()
    work, watch = _entries(request, WORK), _entries(request, WATCH)
    shown = {each["key"] for each in work + watch}
    return {
        # The counts of sections that this person does not see have a place to land too.
        "absent": [section.key for section in WORK + WATCH if section.key not in shown],
        "company": name,
        "initial": name[:1].upper() or "B",
        "groups": [group for group in (work, watch) if group],
        "keys": {each["shortcut"]: each["url"] for each in work + watch if each["shortcut"]},
        "search": reverse("reports:search"),
        "counts": reverse("reports:counts"),
        "health": reverse("integrations:health")
        if _may(request, "integrations.view_connection")
        else "",
        "profile": reverse("accounts:profile"),
        "switch_language": reverse("accounts:language"),
    }


def shell(request: HttpRequest) -> dict[str, Any]:
    return {"demo": settings.DEMO, "frame": SimpleLazyObject(lambda: _frame(request))}
