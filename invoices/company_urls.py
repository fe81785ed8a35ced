from django.urls import path

from invoices.views import company

app_name = "company"
urlpatterns = [
    path("company/", company.details, name="details"),
    path("company/logo.png", company.logo, name="logo"),
    path("invoicing/", company.invoicing, name="invoicing"),
    path("client-types/", company.client_type_list, name="client_types"),
    path("client-types/<int:pk>/", company.client_type, name="client_type"),
    path("client-types/<int:pk>/move/", company.client_type_move, name="client_type_move"),
    path("client-types/<int:pk>/merge/", company.client_type_merge, name="client_type_merge"),
    path("client-types/<int:pk>/delete/", company.client_type_delete, name="client_type_delete"),
    path("rates/", company.rates, name="rates"),
    path("rates/late-penalty/<int:pk>/delete/", company.penalty_delete, name="penalty_delete"),
    path("rates/exchange/<int:pk>/delete/", company.exchange_delete, name="exchange_delete"),
]
