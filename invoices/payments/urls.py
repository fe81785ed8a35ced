from django.urls import path

from invoices.payments.views import list as listing
from invoices.payments.views import payment, recording, refunds

urlpatterns = [
    path("payments/", listing.payment_list, name="payments"),
    path("payments/export.csv", listing.export_payments, {"kind": "csv"}, name="payments-csv"),
    path("payments/export.xlsx", listing.export_payments, {"kind": "xlsx"}, name="payments-xlsx"),
    path("payments/new/", recording.payment_new, name="payment-new"),
    path("payments/new/payers/", recording.payer_choices, name="payment-payers"),
    path("refunds/new/", refunds.refund_new, name="refund-new"),
    path("refunds/<int:pk>/", refunds.refund, name="refund"),
    path("refunds/<int:pk>/take-back/", refunds.refund_take_back, name="refund-back"),
    path("write-offs/<int:pk>/take-back/", refunds.write_off_take_back, name="write-off-back"),
    path("payments/<int:pk>/", payment.payment, name="payment"),
    path("payments/<int:pk>/allocate/", payment.payment_allocate, name="payment-allocate"),
    path("payments/<int:pk>/reverse/", payment.payment_reverse, name="payment-reverse"),
    path("payments/<int:pk>/undo/", payment.payment_undo, name="payment-undo"),
]
