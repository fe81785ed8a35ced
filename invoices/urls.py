from django.urls import path

from invoices.clients.views import clients
from invoices.deals.views import acts as deal_acts
from invoices.deals.views import queue
from invoices.history import views as history
from invoices.invoicing.views import acts, credit_notes, drafts, invoice, issuing, list
from invoices.outbox import views
from invoices.payments.views import recording

app_name = "invoices"
urlpatterns = [
    path("deals/", queue.deal_queue, name="deals"),
    path("deals/export.csv", queue.export_deals_csv, name="deals-csv"),
    path("deals/export.xlsx", queue.export_deals_xlsx, name="deals-xlsx"),
    path("deals/draft/", deal_acts.draft_deals, name="draft-deals"),
    path("deals/<int:pk>/", queue.deal, name="deal"),
    path("deals/<int:pk>/draft/", deal_acts.draft_deal, name="draft-deal"),
    path("deals/<int:pk>/set-aside/", deal_acts.set_deal_aside, name="set-deal-aside"),
    path("deals/<int:pk>/take-back/", deal_acts.take_deal_back, name="take-deal-back"),
    path("history/", history.import_history, name="import_history"),
    path("history/<int:pk>/", history.history_preview, name="history_preview"),
    path("history/<int:pk>/progress/", history.history_progress, name="history_progress"),
    path("history/<int:pk>/refused.csv", history.history_refused, name="history_refused"),
    path("history/<int:pk>/bring-in/", history.history_bring_in, name="history_bring_in"),
    path("history/<int:pk>/discard/", history.history_discard, name="history_discard"),
    path("invoices/", list.invoice_list, name="list"),
    path("invoices/tabs/", list.tab_counts, name="tab-counts"),
    path("invoices/export.csv", list.export_csv, name="export-csv"),
    path("invoices/export.xlsx", list.export_xlsx, name="export-xlsx"),
    path("invoices/pdfs/", list.download_pdfs, name="download-pdfs"),
    path("invoices/new/", drafts.new, name="new"),
    path("invoices/<int:pk>/", invoice.detail, name="detail"),
    path("invoices/<int:pk>/timeline/", invoice.invoice_timeline, name="timeline"),
    path("invoices/<int:pk>/edit/", drafts.edit, name="edit"),
    path("invoices/<int:pk>/client/", drafts.draft_client, name="draft-client"),
    path("invoices/<int:pk>/totals/", drafts.totals, name="totals"),
    path("invoices/<int:pk>/preview.pdf", drafts.preview, name="preview"),
    path("invoices/<int:pk>/document.pdf", invoice.document, name="document"),
    path("invoices/<int:pk>/issue/", issuing.issue_invoice, name="issue"),
    path("invoices/<int:pk>/void/", drafts.void, name="void"),
    path("invoices/<int:pk>/send/", issuing.send_invoice, name="send"),
    path("invoices/<int:pk>/credit/", credit_notes.credit, name="credit"),
    path("invoices/<int:pk>/credit/totals/", credit_notes.credit_preview, name="credit-totals"),
    path("invoices/<int:pk>/note/", acts.note, name="note"),
    path("invoices/<int:pk>/apply/", acts.apply_money, name="apply"),
    path("invoices/<int:pk>/write-off/", acts.write_off_invoice, name="write-off"),
    path("clients/", clients.client_list, name="clients"),
    path("clients/export.csv", clients.export_clients_csv, name="clients-csv"),
    path("clients/export.xlsx", clients.export_clients_xlsx, name="clients-xlsx"),
    path("clients/choose/", recording.client_choices, name="client-choices"),
    path("clients/new/", clients.client_edit, name="client-new"),
    path("clients/<int:pk>/", clients.client, name="client"),
    path("clients/<int:pk>/edit/", clients.client_edit, name="client-edit"),
    path("clients/<int:pk>/contacts/new/", clients.contact_edit, name="contact-new"),
    path(
        "clients/<int:pk>/contacts/<int:contact_pk>/edit/",
        clients.contact_edit,
        name="contact-edit",
    ),
    path(
        "clients/<int:pk>/contacts/<int:contact_pk>/remove/",
        clients.contact_remove,
        name="contact-remove",
    ),
    path("payments/", recording.payment_list, name="payments"),
    path("payments/export.csv", recording.export_payments_csv, name="payments-csv"),
    path("payments/export.xlsx", recording.export_payments_xlsx, name="payments-xlsx"),
    path("payments/new/", recording.payment_new, name="payment-new"),
    path("payments/<int:pk>/", recording.payment, name="payment"),
    path("payments/<int:pk>/allocate/", recording.payment_allocate, name="payment-allocate"),
    path("payments/<int:pk>/reverse/", recording.payment_reverse, name="payment-reverse"),
    path("mail/", views.mail_list, name="mail"),
    path("mail/<int:pk>/", views.mail, name="mail-message"),
    path("mail/<int:pk>/resend/", views.mail_resend, name="mail-resend"),
    path("mail/<int:pk>/arrived/", views.mail_arrived, name="mail-arrived"),
    path("mail/<int:pk>/cancel/", views.mail_cancel, name="mail-cancel"),
]
