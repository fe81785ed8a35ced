from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class IntegrationsConfig(AppConfig):
    name = "integrations"
    verbose_name = _("Integrations")

    def ready(self) -> None:
        from django_q.tasks import async_task

        from billing_portal import notices
        from integrations.core.sentences import SENTENCES as CORE
        from integrations.crm.sentences import SENTENCES as CRM
        from integrations.registry import (
            VAT_REGISTER,
            VAT_REGISTER_SENTENCES,
            connected_platform,
        )
        from invoices.clients import vat_register
        from invoices.einvoicing import platforms

        notices.register(CORE)
        notices.register(CRM)
        notices.register(VAT_REGISTER_SENTENCES)
        vat_register.register(VAT_REGISTER)
        platforms.register(
            connected_platform,
            lambda: async_task("integrations.tasks.send_to_platform"),
            lambda client_id: async_task("integrations.tasks.ask_directory_about", client_id),
        )
