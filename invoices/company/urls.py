from django.urls import path

from invoices.company import views

app_name = "company"
urlpatterns = [
    path("company/", views.details, name="details"),
    path("company/logo.png", views.logo, name="logo"),
    path("invoicing/", views.invoicing, name="invoicing"),
    path("client-types/", views.client_type_list, name="client_types"),
    path("client-types/<int:pk>/", views.client_type, name="client_type"),
    path("client-types/<int:pk>/move/", views.client_type_move, name="client_type_move"),
    path("client-types/<int:pk>/merge/", views.client_type_merge, name="client_type_merge"),
    path("client-types/<int:pk>/delete/", views.client_type_delete, name="client_type_delete"),
    path("rates/", views.rates, name="rates"),
    path("rates/late-penalty/<int:pk>/delete/", views.penalty_delete, name="penalty_delete"),
    path("rates/exchange/<int:pk>/delete/", views.exchange_delete, name="exchange_delete"),
]
