from django.urls import path

from invoices.history import views

urlpatterns = [
    path("history/", views.import_history, name="import_history"),
    path("history/export/<slug:kind>.<slug:ending>", views.export_history, name="history_export"),
    path("history/<int:pk>/", views.history_preview, name="history_preview"),
    path("history/<int:pk>/progress/", views.history_progress, name="history_progress"),
    path("history/<int:pk>/refused.csv", views.history_refused, name="history_refused"),
    path(
        "history/<int:pk>/left-out-<slug:kind>.csv", views.history_left_out, name="history_left_out"
    ),
    path("history/<int:pk>/leave-out/", views.history_leave_out, name="history_leave_out"),
    path("history/<int:pk>/answers/", views.history_answer, name="history_answer"),
    path("history/<int:pk>/bring-in/", views.history_bring_in, name="history_bring_in"),
    path("history/<int:pk>/discard/", views.history_discard, name="history_discard"),
]
