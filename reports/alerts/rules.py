"""Alert rules are made, changed, switched and deleted here."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from django_q.tasks import async_task

from billing_portal.accounts.models import User
from invoices.company.currencies import company_currency
from reports.alerts.inbox import AlertRefused
from reports.alerts.words import name_of
from reports.models import AlertRule


def save_rule(
    *, rule_id: int | None, values: dict[str, Any], active: bool | None, by: User
) -> AlertRule:
    """Make or change a rule; `active` None leaves it on or off as it is. Its kind never changes."""
    with transaction.atomic():
        if rule_id is None:
            return AlertRule.objects.create(**values, active=bool(active), created_by=by)
        rule = AlertRule.objects.select_for_update().get(pk=rule_id)
        for name, value in values.items():
            if name != "kind":
                setattr(rule, name, value)
        if active is not None:
            rule.active = active
        rule.save()
        if rule.active:
            # It speaks with the hourly run; what it no longer says is not left standing till then.
            async_task("reports.tasks.end_alerts", rule.pk)
        return rule


def switch_rule(*, rule_id: int, active: bool) -> AlertRule:
    with transaction.atomic():
        rule = AlertRule.objects.select_for_update().get(pk=rule_id)
        rule.active = active
        rule.save(update_fields=["active", "updated_at"])
        return rule


def delete_rule(*, rule_id: int) -> None:
    """Only a rule that never spoke; what was said is kept."""
    with transaction.atomic():
        rule = AlertRule.objects.select_for_update().get(pk=rule_id)
        if rule.alerts.exists():
            raise AlertRefused(
                _("“%(name)s” has written alerts, which are kept: switch it off instead.")
                % {"name": name_of(rule, company_currency())}
            )
        rule.delete()
