from django.urls import include, path

from invoices.company.views import (
    books,
    documents,
    ecb,
    law_rows,
    numbers,
    payment_terms,
    sales_terms,
    settings,
)

app_name = "company"
urlpatterns = [
    path("company/", settings.details, name="details"),
    path("company/logo.png", settings.logo, name="logo"),
    path("invoicing/", settings.invoicing, name="invoicing"),
    path("documents/", documents.documents, name="documents"),
    path("documents/preview/", documents.preview, name="documents-preview"),
    path("numbers/", numbers.numbers, name="numbers"),
    path("numbers/preview/", numbers.preview, name="numbers-preview"),
    path("books/", books.books, name="books"),
    # By its name: client types lie a floor above, and only their address is ours.
    path("client-types/", include("invoices.clients.type_urls")),
    path("terms/", payment_terms.terms_list, name="terms"),
    path("terms/new/", payment_terms.terms_new, name="terms_new"),
    path("terms/<int:pk>/", payment_terms.terms_edit, name="terms_edit"),
    path("terms/<int:pk>/archive/", payment_terms.terms_archive, name="terms_archive"),
    path("sales-terms/", sales_terms.page, name="sales-terms"),
    path("sales-terms/<int:pk>/", sales_terms.file, name="sales-terms-file"),
    path("sales-terms/stop/<str:language>/", sales_terms.stop, name="sales-terms-stop"),
    path("rates/", settings.rates, name="rates"),
    path("rates/exchange/ecb/", ecb.bring_in, name="ecb"),
    path("rates/late-penalty/<int:pk>/delete/", settings.penalty_delete, name="penalty_delete"),
    path("rates/vat/<int:pk>/", law_rows.vat_rate, name="vat_rate"),
    path("rates/exemptions/new/", law_rows.exemption_new, name="exemption_new"),
    path("rates/exemptions/<int:pk>/", law_rows.exemption, name="exemption"),
    path("rates/exemptions/<int:pk>/delete/", law_rows.exemption_delete, name="exemption_delete"),
    path("rates/vat/<int:pk>/delete/", settings.vat_rate_delete, name="vat_rate_delete"),
    path("rates/exchange/<int:pk>/delete/", settings.exchange_delete, name="exchange_delete"),
]
