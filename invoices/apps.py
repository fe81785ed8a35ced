from django.apps import AppConfig
from django.db.models.signals import post_migrate, pre_migrate
from django.utils.translation import gettext_lazy as _


class InvoicesConfig(AppConfig):
    name = "invoices"
    verbose_name = _("Invoices")

    def ready(self) -> None:
        from invoices import truths

        pre_migrate.connect(truths.before_migrate, sender=self)
        post_migrate.connect(truths.after_migrate, sender=self)
