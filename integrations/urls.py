from django.urls import path

from integrations.views import fields, hooks, imports, platform

app_name = "integrations"
urlpatterns = [
    path("", imports.index, name="index"),
    path("pipedrive/", imports.connection_page, name="pipedrive"),
    path("pipedrive/mapping/", fields.mapping, name="mapping"),
    path("pipedrive/mapping/preview/", fields.mapping_preview, name="mapping_preview"),
    path("platform/", platform.connection_page, name="platform"),
    path("platform/ask/", platform.ask_now, name="platform-ask"),
    path("platform/secret/", platform.renew_hook_secret, name="platform-secret"),
    path("platform/hook/", hooks.platform_hook, name="platform-hook"),
    path("pipedrive/sync/", imports.start, name="start"),
    path("runs/<int:pk>/", imports.run, name="run"),
    path("runs/<int:pk>/refused.csv", imports.refused_csv, name="refused_csv"),
    path("schedules/<int:pk>/run/", imports.run_again, name="run_again"),
    path("deals/<int:pk>/", imports.deal, name="deal"),
    path("health/", imports.health, name="health"),
]
