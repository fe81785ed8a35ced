from django.urls import path

from integrations import views

app_name = "integrations"
urlpatterns = [
    path("", views.index, name="index"),
    path("pipedrive/", views.connection_page, name="pipedrive"),
    path("pipedrive/mapping/", views.mapping, name="mapping"),
    path("pipedrive/mapping/preview/", views.mapping_preview, name="mapping_preview"),
    path("pipedrive/sync/", views.start, name="start"),
    path("runs/<int:pk>/", views.run, name="run"),
    path("runs/<int:pk>/refused.csv", views.refused_csv, name="refused_csv"),
    path("schedules/<int:pk>/run/", views.run_again, name="run_again"),
    path("deals/<int:pk>/", views.deal, name="deal"),
    path("health/", views.health, name="health"),
]
