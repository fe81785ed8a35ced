from django.urls import include, path

app_name = "invoices"
urlpatterns = [
    path("", include("invoices.accounting.urls")),
    path("", include("invoices.deals.urls")),
    path("", include("invoices.quotes.urls")),
    path("", include("invoices.subscriptions.urls")),
    path("", include("invoices.history.urls")),
    path("", include("invoices.lifecycle.urls")),
    path("", include("invoices.bulk.urls")),
    path("", include("invoices.attachments.urls")),
    path("", include("invoices.invoicing.urls")),
    path("", include("invoices.clients.urls")),
    path("", include("invoices.catalogue.urls")),
    path("", include("invoices.payments.urls")),
    path("", include("invoices.statements.urls")),
    path("", include("invoices.outbox.urls")),
]
