from django.urls import path

from invoices.accounting.views import accounts, archives, integrity, journal

urlpatterns = [
    path("settings/integrity/", integrity.integrity, name="integrity"),
    path("settings/integrity/check/", integrity.integrity_check, name="integrity-check"),
    path("settings/integrity/head/", integrity.integrity_anchor, name="integrity-anchor"),
    path("settings/archives/", archives.list_archives, name="archives"),
    path("settings/archives/make/", archives.archive_make, name="archive-make"),
    path("settings/archives/progress/", archives.archive_progress, name="archive-progress"),
    path("settings/archives/<int:pk>/file/", archives.archive_file, name="archive-file"),
    path("journal/", journal.journal, name="journal"),
    path("journal/export/", journal.journal_export, name="journal-export"),
    path("journal/account/<str:number>/", journal.journal_account, name="journal-account"),
    path("settings/accounting/", accounts.accounts, name="accounts"),
    path("settings/accounting/used/", accounts.accounts_used, name="accounts-used"),
    path("settings/accounting/new/", accounts.account_new, name="account-new"),
    path("settings/accounting/account/", accounts.account, name="account"),
    path("settings/accounting/<int:pk>/drop/", accounts.account_drop, name="account-drop"),
]
