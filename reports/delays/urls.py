from django.urls import path

from reports.delays import views

urlpatterns = [
    path("reports/delays/", views.delays, name="delays"),
    path("reports/delays/figures/", views.figures, name="delays-figures"),
    path("reports/delays/export.csv", views.export_delays, {"kind": "csv"}, name="delays-csv"),
    path("reports/delays/export.xlsx", views.export_delays, {"kind": "xlsx"}, name="delays-xlsx"),
]
