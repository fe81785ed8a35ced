from django.urls import path

from invoices.clients.views import choosing, clients, vat_checks
from invoices.clients.views import list as listing

urlpatterns = [
    path("clients/", listing.client_list, name="clients"),
    path("clients/export.csv", listing.export_clients, {"kind": "csv"}, name="clients-csv"),
    path("clients/export.xlsx", listing.export_clients, {"kind": "xlsx"}, name="clients-xlsx"),
    path("clients/choose/", choosing.client_choices, name="client-choices"),
    path("clients/new/", clients.client_edit, name="client-new"),
    path("clients/<int:pk>/", clients.client, name="client"),
    path("clients/<int:pk>/edit/", clients.client_edit, name="client-edit"),
    path("clients/<int:pk>/ask-vat/", vat_checks.ask, name="client-ask-vat"),
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
]
