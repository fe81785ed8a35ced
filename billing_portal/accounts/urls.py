from django.urls import path

from billing_portal.accounts import views

app_name = "accounts"
urlpatterns = [
    path("", views.settings_index, name="settings"),
    path("people/", views.people, name="people"),
    path("people/invite/", views.invite_person, name="invite"),
    path("people/<int:pk>/", views.person, name="person"),
    path("people/<int:pk>/invite/", views.invite_again, name="invite_again"),
    path("profile/", views.profile, name="profile"),
    path("language/", views.language, name="language"),
]
