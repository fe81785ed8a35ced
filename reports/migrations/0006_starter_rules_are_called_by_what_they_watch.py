"""The rules that the product brought were named in English for every reader."""

from django.db import migrations

NAMES = [
    "Over 30 days late and above €10,000",
    "A client pays later than its own habit",
    "Won and not invoiced after 14 days",
    "SMEs pay later",
]


def forget_names(apps, schema_editor):
    apps.get_model("reports", "AlertRule").objects.filter(name__in=NAMES).update(name="")


class Migration(migrations.Migration):
    dependencies = [("reports", "0005_every_alert_has_its_episode")]

    operations = [migrations.RunPython(forget_names, migrations.RunPython.noop)]
