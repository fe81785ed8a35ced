from django.urls import path

from reports.delays import views

urlpatterns = [
    path("reports/delays/", views.delays, name="delays"),
    path("reports/delays/figures/", views.figures, name="delays-figures"),
    path("reports/delays/export.csv", views.delays_csv, name="delays-csv"),
    path("reports/delays/export.xlsx", views.delays_xlsx, name="delays-xlsx"),
]
