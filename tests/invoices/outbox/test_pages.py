"""The outbox in the browser."""

from __future__ import annotations

import pytest
from django.urls import reverse

from invoices.models import Message
from invoices.outbox.queueing import queue
from tests.confirm import confirm

pytestmark = pytest.mark.django_db


@pytest.fixture
def message(clerk):
    return queue(
        reason_key="test:1",
        kind="alert",
        to=["finance@kerlann.example"],
        subject="Late <b>payers</b>",
        body_text="Two invoices are late.",
        language="en",
        by=clerk,
    )


def act(browser, message, verb, **fields):
    page = reverse("invoices:mail-message", args=[message.pk])
    url = reverse(f"invoices:mail-{verb}", args=[message.pk])
    return confirm(browser, url, fields, at=page, follow=True)


def test_waiting_mails_stand_in_the_list_and_can_be_cancelled(clerk_client, message):
    page = clerk_client.get(reverse("invoices:mail")).content.decode()
    assert "Late &lt;b&gt;payers&lt;/b&gt;" in page
    act(clerk_client, message, "cancel")
    message.refresh_from_db()
    assert message.state == Message.State.CANCELLED
    answer = act(clerk_client, message, "cancel")
    assert "Only an email that has not left can be cancelled." in answer.content.decode()


def test_a_mail_that_was_handed_over_waits_for_a_decision(clerk_client, message):
    Message.objects.filter(pk=message.pk).update(state="sending")
    page = clerk_client.get(reverse("invoices:mail-message", args=[message.pk])).content.decode()
    assert "Nothing is sent again by itself" in page
    act(clerk_client, message, "arrived")
    message.refresh_from_db()
    assert message.state == Message.State.SENT
    assert message.sent_at


def test_sending_again_twice_by_a_double_click_queues_one_mail(clerk_client, message):
    Message.objects.filter(pk=message.pk).update(state="sending")
    act(clerk_client, message, "arrived")
    for _ in range(2):
        act(clerk_client, message, "resend", once="same")
    assert Message.objects.count() == 2
    assert Message.objects.filter(state="queued").count() == 1


def test_a_manager_reads_and_decides_nothing(manager_client, message):
    assert manager_client.get(reverse("invoices:mail")).status_code == 200
    url = reverse("invoices:mail-resend", args=[message.pk])
    assert manager_client.post(url).status_code == 403
