from django.urls import path

from invoices.invoicing.views import (
    acts,
    credit_notes,
    deciding,
    drafts,
    files,
    invoice,
    issuing,
    page_preview,
    pdfs,
)
from invoices.invoicing.views import list as list_views

urlpatterns = [
    path("invoices/", list_views.invoice_list, name="list"),
    path("invoices/tabs/", list_views.tab_counts, name="tab-counts"),
    path("invoices/export.csv", list_views.export_invoices, {"kind": "csv"}, name="export-csv"),
    path("invoices/export.xlsx", list_views.export_invoices, {"kind": "xlsx"}, name="export-xlsx"),
    path("invoices/pdfs/", pdfs.download_pdfs, name="download-pdfs"),
    path("invoices/new/", drafts.new, name="new"),
    path("invoices/<int:pk>/", invoice.detail, name="detail"),
    path("invoices/<int:pk>/timeline/", invoice.invoice_timeline, name="timeline"),
    path("invoices/<int:pk>/edit/", drafts.edit, name="edit"),
    path("invoices/<int:pk>/client/", drafts.draft_client, name="draft-client"),
    path("invoices/<int:pk>/totals/", drafts.totals, name="totals"),
    path("invoices/<int:pk>/preview.pdf", drafts.preview, name="preview"),
    path("invoices/<int:pk>/preview/", page_preview.page_preview, name="page-preview"),
    path("invoices/<int:pk>/document.pdf", files.document, {"kind": "pdf"}, name="document"),
    path("invoices/<int:pk>/einvoice.xml", files.document, {"kind": "xml"}, name="einvoice"),
    path("invoices/<int:pk>/ubl.xml", files.ubl, name="ubl"),
    path("invoices/<int:pk>/issue/", issuing.issue_invoice, name="issue"),
    path("invoices/<int:pk>/decide/", deciding.decide, name="decide-vat"),
    path("invoices/<int:pk>/void/", drafts.void, name="void"),
    path("invoices/<int:pk>/send/", issuing.send_invoice, name="send"),
    path("invoices/<int:pk>/credit/", credit_notes.credit, name="credit"),
    path("invoices/<int:pk>/credit/totals/", credit_notes.credit_preview, name="credit-totals"),
    path("invoices/<int:pk>/note/", acts.note, name="note"),
    path("invoices/<int:pk>/apply/", acts.apply_money, name="apply"),
    path("invoices/<int:pk>/write-off/", acts.write_off_invoice, name="write-off"),
]
