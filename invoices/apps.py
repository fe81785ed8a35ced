from django.apps import AppConfig
from django.db.models.signals import post_migrate, pre_migrate
from django.utils.translation import gettext_lazy as _


class InvoicesConfig(AppConfig):
    name = "invoices"
    verbose_name = _("Invoices")

    def ready(self) -> None:
        from invoices.invoicing.sending import KIND, InvoiceMail
        from invoices.models import database_rules
        from invoices.outbox import kinds

        kinds.register(KIND, InvoiceMail())

        pre_migrate.connect(database_rules.before_migrate, sender=self)
        post_migrate.connect(database_rules.after_migrate, sender=self)
