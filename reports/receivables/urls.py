from django.urls import path

from reports.receivables import views

urlpatterns = [
    path("reports/receivables/", views.receivables, name="receivables"),
    path("reports/receivables/figures/", views.figures, name="receivables-figures"),
    path(
        "reports/receivables/export.csv",
        views.export_receivables,
        {"kind": "csv"},
        name="receivables-csv",
    ),
    path(
        "reports/receivables/export.xlsx",
        views.export_receivables,
        {"kind": "xlsx"},
        name="receivables-xlsx",
    ),
]
