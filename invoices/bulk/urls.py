from django.urls import path

from invoices.bulk import views

urlpatterns = [
    path("invoices/batches/", views.batches, name="batches"),
    path("invoices/batches/new/", views.new, name="batch-new"),
    path("invoices/batches/<int:pk>/", views.batch, name="batch"),
    path("invoices/batches/<int:pk>/progress/", views.progress, name="batch-progress"),
    path("invoices/batches/<int:pk>/start/", views.start, name="batch-start"),
    path("invoices/batches/<int:pk>/stop/", views.stop, name="batch-stop"),
    path("invoices/batches/<int:pk>/resume/", views.resume, name="batch-resume"),
]
