from django.urls import path

from invoices.attachments import views

urlpatterns = [
    path("attachments/<str:what>/<int:pk>/", views.attachments, name="attachments"),
    path("attachments/<str:what>/<int:pk>/add/", views.add, name="attachment-add"),
    path("attachments/<int:pk>/", views.download, name="attachment"),
    path("attachments/<int:pk>/remove/", views.remove, name="attachment-remove"),
    path("attachments/<int:pk>/show/", views.show, name="attachment-show"),
]
