from django.urls import path

from reports.desk import views

urlpatterns = [
    path("", views.desk, name="desk"),
    path("counts/", views.counts, name="counts"),
]
