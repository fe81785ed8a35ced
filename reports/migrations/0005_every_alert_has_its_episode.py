from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("reports", "0004_first_day_of_the_episodes_told_of")]

    operations = [migrations.AlterField("alert", "episode_started_on", models.DateField())]
