from django.urls import include, path

app_name = "reports"
urlpatterns = [
    path("", include("reports.desk.urls")),
    path("", include("reports.search.urls")),
    path("", include("reports.delays.urls")),
    path("", include("reports.receivables.urls")),
    path("", include("reports.alerts.urls")),
]
