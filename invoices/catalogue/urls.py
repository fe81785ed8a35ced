from django.urls import path

from invoices.catalogue.views import choices, items

urlpatterns = [
    path("catalogue/", items.catalogue, name="catalogue"),
    path("catalogue/choices/<int:client_pk>/", choices.item_choices, name="item-choices"),
    path("catalogue/new/", items.item_edit, name="item-new"),
    path("catalogue/<int:pk>/", items.item, name="item"),
    path("catalogue/<int:pk>/edit/", items.item_edit, name="item-edit"),
    path("catalogue/<int:pk>/archive/", items.item_archive, name="item-archive"),
    path("catalogue/<int:pk>/give-back/", items.item_give_back, name="item-give-back"),
]
