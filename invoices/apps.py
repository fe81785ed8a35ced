from functools import partial

from django.apps import AppConfig
from django.db.models.signals import post_migrate, pre_migrate
from django.utils.translation import gettext_lazy as _


class InvoicesConfig(AppConfig):
    name = "invoices"
    verbose_name = _("Invoices")

    def ready(self) -> None:
        from django.template.loader import render_to_string

        from billing_portal import notices, spreadsheet_words
        from invoices.accounting import archive_words
        from invoices.company import exemptions, vat_rates
        from invoices.deals.offering import Deals, lines_of_deal
        from invoices.documents.pdf import page
        from invoices.einvoicing.sentences import SENTENCES as EINVOICING
        from invoices.history import words
        from invoices.invoicing import mail_words, origins
        from invoices.invoicing.sending import KIND, InvoiceMail
        from invoices.models import database_rules
        from invoices.outbox import kinds, wording
        from invoices.quotes import mail_words as quote_words
        from invoices.quotes import mails, offered
        from invoices.quotes.warning import Quotes
        from invoices.statements.mails import KINDS, LetterMail
        from invoices.subscriptions import mails as subscription_mails
        from invoices.subscriptions.warning import Subscriptions

        origins.register("deals", Deals())
        origins.register("quotes", Quotes())
        origins.register("subscriptions", Subscriptions())
        notices.register(spreadsheet_words.SENTENCES)
        notices.register(words.SENTENCES)
        notices.register(EINVOICING)
        notices.register(archive_words.SENTENCES)
        kinds.register(KIND, InvoiceMail())
        kinds.register(mails.OFFER, mails.OfferMail())
        kinds.register(mails.COPY, mails.CopyMail())
        kinds.register(mails.ANSWER, mails.AnswerMail(render_to_string))
        kinds.register(subscription_mails.WAITS, subscription_mails.WaitsMail(render_to_string))
        for name in KINDS.values():
            kinds.register(name, LetterMail(render_to_string))
        for each in (*mail_words.WORDINGS, *quote_words.WORDINGS):
            wording.register(each)
        offered.register(lines_of_deal)
        page.filled_by(partial(render_to_string, "invoices/documents/pdf/document.html"))
        page.filled_by(partial(render_to_string, "invoices/documents/pdf/letter.html"), "letter")

        pre_migrate.connect(database_rules.before_migrate, sender=self)
        post_migrate.connect(database_rules.after_migrate, sender=self)
        post_migrate.connect(vat_rates.sow, sender=self)
        post_migrate.connect(exemptions.sow, sender=self)
