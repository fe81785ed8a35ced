"""Addresses of client types; the settings of the company include them, under the name `company`."""

from django.urls import path

from invoices.clients.views import types

urlpatterns = [
    path("", types.client_type_list, name="client_types"),
    path("<int:pk>/", types.client_type, name="client_type"),
    path("<int:pk>/move/", types.client_type_move, name="client_type_move"),
    path("<int:pk>/merge/", types.client_type_merge, name="client_type_merge"),
    path("<int:pk>/delete/", types.client_type_delete, name="client_type_delete"),
]
