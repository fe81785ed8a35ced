from django.urls import path

from invoices.outbox.views import mails, wordings

_TEXT = "mail/texts/<slug:kind>/<slug:language>"

urlpatterns = [
    path("mail/", mails.mail_list, name="mail"),
    path("mail/<int:pk>/", mails.mail, name="mail-message"),
    path("mail/<int:pk>/resend/", mails.mail_resend, name="mail-resend"),
    path("mail/<int:pk>/arrived/", mails.mail_arrived, name="mail-arrived"),
    path("mail/<int:pk>/cancel/", mails.mail_cancel, name="mail-cancel"),
    path("mail/texts/", wordings.wordings, name="wordings"),
    path(f"{_TEXT}/", wordings.wording, name="wording"),
    path(f"{_TEXT}/preview/", wordings.preview, name="wording-preview"),
    path(f"{_TEXT}/test/", wordings.test, name="wording-test"),
    path(f"{_TEXT}/standard/", wordings.standard, name="wording-standard"),
]
