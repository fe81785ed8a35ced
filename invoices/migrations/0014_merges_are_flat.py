"""A client merged into one that was itself merged later leads to the last one in one step."""

from django.db import migrations

LONGEST = 100


def flatten(apps, schema_editor):
    client = apps.get_model("invoices", "Client")
    for _round in range(LONGEST):
        steps = client.objects.filter(merged_into__merged_into__isnull=False)
        pairs = list(steps.values_list("pk", "merged_into__merged_into_id"))
        if not pairs:
            return
        for pk, further in pairs:
            # A circle has no last one: it is opened where it was entered.
            client.objects.filter(pk=pk).update(merged_into=None if further == pk else further)


class Migration(migrations.Migration):

    dependencies = [("invoices", "0013_accounts_answers_and_go_live")]

    operations = [migrations.RunPython(flatten, migrations.RunPython.noop)]
