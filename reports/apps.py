from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ReportsConfig(AppConfig):
    name = "reports"
    verbose_name = _("Reports")

    def ready(self) -> None:
        from django.template.loader import render_to_string

        from invoices.outbox import kinds
        from reports.alerts.digests import KIND, AlertMail

        kinds.register(KIND, AlertMail(render_to_string))
