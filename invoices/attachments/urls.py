from django.urls import path

from invoices.attachments import views

urlpatterns = [
    path("invoices/attachments/<str:what>/<int:pk>/", views.attachments, name="attachments"),
    path("invoices/attachments/<str:what>/<int:pk>/add/", views.add, name="attachment-add"),
    path("invoices/attachments/<int:pk>/", views.download, name="attachment"),
    path("invoices/attachments/<int:pk>/remove/", views.remove, name="attachment-remove"),
    path("invoices/attachments/<int:pk>/show/", views.show, name="attachment-show"),
]
