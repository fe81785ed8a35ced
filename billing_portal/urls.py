from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import include, path
from django.views.generic.base import RedirectView

# One sign-in, with one limit of attempts.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]

urlpatterns = [
    path("", include("reports.urls")),
    path("", include("invoices.urls")),
    path("integrations/", include("integrations.urls")),
    path("settings/", include("billing_portal.accounts.urls")),
    path("settings/", include("invoices.company.urls")),
    path("accounts/", include("billing_portal.accounts.sign_in_urls")),
    path("admin/", admin.site.urls),
    path("favicon.ico", RedirectView.as_view(url="/static/vendor/favicon.svg", permanent=True)),
]
