from django.urls import path

from invoices.views import clients, history, lists, mail, payments

app_name = "invoices"
urlpatterns = [
    path("history/", history.import_history, name="import_history"),
    path("history/<int:pk>/", history.history_preview, name="history_preview"),
    path("history/<int:pk>/progress/", history.history_progress, name="history_progress"),
    path("history/<int:pk>/refused.csv", history.history_refused, name="history_refused"),
    path("history/<int:pk>/bring-in/", history.history_bring_in, name="history_bring_in"),
    path("history/<int:pk>/discard/", history.history_discard, name="history_discard"),
    path("invoices/", lists.invoice_list, name="list"),
    path("invoices/tabs/", lists.tab_counts, name="tab-counts"),
    path("invoices/export.csv", lists.export_csv, name="export-csv"),
    path("invoices/export.xlsx", lists.export_xlsx, name="export-xlsx"),
    path("invoices/pdfs/", lists.download_pdfs, name="download-pdfs"),
    path("clients/", clients.client_list, name="clients"),
    path("clients/choose/", payments.client_choices, name="client-choices"),
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
    path("payments/", payments.payment_list, name="payments"),
    path("payments/export.csv", payments.export_payments_csv, name="payments-csv"),
    path("payments/export.xlsx", payments.export_payments_xlsx, name="payments-xlsx"),
    path("payments/new/", payments.payment_new, name="payment-new"),
    path("payments/<int:pk>/", payments.payment, name="payment"),
    path("payments/<int:pk>/allocate/", payments.payment_allocate, name="payment-allocate"),
    path("payments/<int:pk>/reverse/", payments.payment_reverse, name="payment-reverse"),
    path("mail/", mail.mail_list, name="mail"),
    path("mail/<int:pk>/", mail.mail, name="mail-message"),
    path("mail/<int:pk>/resend/", mail.mail_resend, name="mail-resend"),
    path("mail/<int:pk>/arrived/", mail.mail_arrived, name="mail-arrived"),
    path("mail/<int:pk>/cancel/", mail.mail_cancel, name="mail-cancel"),
]
