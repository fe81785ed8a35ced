from django.urls import include, path

from invoices.company import books_views, views

app_name = "company"
urlpatterns = [
    path("company/", views.details, name="details"),
    path("company/logo.png", views.logo, name="logo"),
    path("invoicing/", views.invoicing, name="invoicing"),
    path("books/", books_views.books, name="books"),
    # By its name: client types lie a floor above, and only their address is ours.
    path("client-types/", include("invoices.clients.type_urls")),
    path("rates/", views.rates, name="rates"),
    path("rates/late-penalty/<int:pk>/delete/", views.penalty_delete, name="penalty_delete"),
    path("rates/exchange/<int:pk>/delete/", views.exchange_delete, name="exchange_delete"),
]
