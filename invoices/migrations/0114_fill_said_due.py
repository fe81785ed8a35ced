"""Until now the day that counts was the one that the document says."""

from django.db import migrations
from django.db.models import F

from invoices.migrations._frozen import unfrozen


def forwards(apps, schema_editor):
    # Instalments of what is issued are kept from changing, and this column of them is new.
    with unfrozen(schema_editor, "invoices_instalment"):
        apps.get_model("invoices", "Instalment").objects.filter(said_due=None).update(
            said_due=F("due_date")
        )


class Migration(migrations.Migration):

    dependencies = [
        ("invoices", "0113_said_due"),
    ]

    operations = [migrations.RunPython(forwards, migrations.RunPython.noop)]
