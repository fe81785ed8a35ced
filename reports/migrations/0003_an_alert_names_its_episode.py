from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("reports", "0002_alert_rule_min_payments")]

    operations = [
        migrations.AddField("alert", "episode_started_on", models.DateField(null=True)),
        migrations.AlterField(
            "alertrule", "kind", models.CharField(max_length=20, verbose_name="watches")
        ),
        migrations.AlterField(
            "alertrule",
            "name",
            models.CharField(blank=True, max_length=120, verbose_name="name"),
        ),
    ]
