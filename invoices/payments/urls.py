from django.urls import path

from invoices.payments.views import recording

urlpatterns = [
    path("clients/choose/", recording.client_choices, name="client-choices"),
    path("payments/", recording.payment_list, name="payments"),
    path("payments/export.csv", recording.export_payments_csv, name="payments-csv"),
    path("payments/export.xlsx", recording.export_payments_xlsx, name="payments-xlsx"),
    path("payments/new/", recording.payment_new, name="payment-new"),
    path("payments/<int:pk>/", recording.payment, name="payment"),
    path("payments/<int:pk>/allocate/", recording.payment_allocate, name="payment-allocate"),
    path("payments/<int:pk>/reverse/", recording.payment_reverse, name="payment-reverse"),
]
