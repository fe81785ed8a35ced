from django.urls import path

from invoices.lifecycle.views import acts, answering, files, listing, routing

urlpatterns = [
    path("invoices/platform/", listing.einvoicing, name="einvoicing"),
    path("invoices/platform/clients/", routing.routing, name="routing"),
    path("invoices/platform/received/", files.incoming, name="incoming"),
    path("invoices/platform/received/<int:pk>/", files.incoming_file, name="incoming-file"),
    path("invoices/platform/messages/<int:pk>/", files.message, name="lifecycle-message"),
    path("invoices/platform/<int:pk>/put-right/", acts.put_right, name="put-right"),
    path("invoices/platform/<int:pk>/answer/", answering.answer, name="platform-answer"),
    path("invoices/platform/<int:pk>/send-again/", acts.again, name="transmit-again"),
    path("invoices/<int:pk>/hand-over/", acts.hand_over, name="transmit"),
    path("invoices/<int:pk>/dispute/", acts.open_dispute, name="dispute"),
    path("invoices/disputes/<int:pk>/close/", acts.close_dispute, name="dispute-close"),
    path("clients/<int:pk>/address/", routing.take_address, name="take-address"),
    path("clients/<int:pk>/way/", routing.force, name="force-way"),
]
