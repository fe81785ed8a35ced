from django.urls import path

from invoices.outbox import views

urlpatterns = [
    path("mail/", views.mail_list, name="mail"),
    path("mail/<int:pk>/", views.mail, name="mail-message"),
    path("mail/<int:pk>/resend/", views.mail_resend, name="mail-resend"),
    path("mail/<int:pk>/arrived/", views.mail_arrived, name="mail-arrived"),
    path("mail/<int:pk>/cancel/", views.mail_cancel, name="mail-cancel"),
]
