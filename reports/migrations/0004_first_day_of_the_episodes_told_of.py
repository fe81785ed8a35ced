"""Alerts of before began, as far as they knew, on the day that their figures name."""

from datetime import date

from django.db import migrations


def _first_day(alert):
    try:
        return min(date.fromisoformat(alert.data["since"]), alert.fired_on)
    except (KeyError, TypeError, ValueError):
        return alert.fired_on


def name_the_episodes(apps, schema_editor):
    alerts = apps.get_model("reports", "Alert").objects
    waiting = alerts.filter(episode_started_on=None).only("data", "fired_on")
    while batch := list(waiting[:2000]):
        for alert in batch:
            alert.episode_started_on = _first_day(alert)
        alerts.bulk_update(batch, ["episode_started_on"], batch_size=250)


class Migration(migrations.Migration):
    dependencies = [("reports", "0003_an_alert_names_its_episode")]

    operations = [migrations.RunPython(name_the_episodes, migrations.RunPython.noop)]
