from django.urls import path

from invoices.statements.views import claims, receipts, statement

urlpatterns = [
    path("clients/<int:pk>/statement/", statement.statement, name="statement"),
    path("clients/<int:pk>/statement.pdf", statement.statement_pdf, name="statement-pdf"),
    path("clients/<int:pk>/statement.xlsx", statement.statement_xlsx, name="statement-xlsx"),
    path("clients/<int:pk>/statement/send/", statement.statement_send, name="statement-send"),
    path("clients/<int:pk>/late-claim/", claims.late_claim, name="late-claim"),
    path("late-claims/<int:pk>/withdraw/", claims.withdraw, name="late-claim-withdraw"),
    path("account-letters/<int:pk>.pdf", statement.letter, name="account-letter"),
    path("payments/<int:pk>/receipt.pdf", receipts.receipt, name="receipt"),
    path("payments/<int:pk>/receipt/send/", receipts.receipt_send, name="receipt-send"),
]
