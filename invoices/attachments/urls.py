from django.urls import path

from invoices.attachments import views

OF_INVOICE, OF_QUOTE = {"what": "invoice"}, {"what": "quote"}

urlpatterns = [
    path("settings/files/", views.standing_files, name="standing-files"),
    path("settings/files/<int:pk>/", views.standing_file, name="standing-file"),
    path("settings/files/<int:pk>/remove/", views.standing_remove, name="standing-file-remove"),
    path("invoices/<int:pk>/attachments/", views.attachments, OF_INVOICE, name="attachments"),
    path("invoices/<int:pk>/attachments/add/", views.add, OF_INVOICE, name="attachment-add"),
    path("quotes/<int:pk>/attachments/", views.attachments, OF_QUOTE, name="quote-attachments"),
    path("quotes/<int:pk>/attachments/add/", views.add, OF_QUOTE, name="quote-attachment-add"),
    path("invoices/attachments/<int:pk>/", views.download, name="attachment"),
    path("invoices/attachments/<int:pk>/remove/", views.remove, name="attachment-remove"),
    path("invoices/attachments/<int:pk>/show/", views.show, name="attachment-show"),
]
