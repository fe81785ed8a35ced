"""UC1 to UC5 of XP Z12-014, replayed: the same messages in, the same states out, in any order."""

from __future__ import annotations

import random
import re
from datetime import date
from decimal import Decimal

import pytest
from lxml import etree

from invoices.documents.cdar.reading import CdarUnreadable, read
from invoices.documents.cdar.writing import write
from invoices.einvoicing.taking_in import take_in
from invoices.models import Company, Dispute, LifecycleStatus
from tests.factories import make_client
from tests.shared import SHARED
from tests.transmitted import make_transmission

AFNOR = SHARED / "specs" / "afnor"
CASES = AFNOR / "use-cases"
SELLER, BUYER = "100000009", "200000008"
pytestmark = pytest.mark.skipif(not CASES.exists(), reason="the norm's files are not here")


def files(case, number):
    """The messages about one document in their order; those for the public portal are not ours."""
    return [
        path
        for path in sorted((CASES / case).glob(f"*_{number}_0*-CDV-*.xml"))
        if "POUR_PPF" not in path.name
    ]


def code_of(path):
    return re.search(r"CDV-(\d{3})", path.name)[1]


@pytest.fixture
def seller(db):
    """The seller of the use cases; whoever else writes about us is not heard."""

    def made(number, issued_on, **fields):
        client = make_client(name="ACHETEUR", siren=BUYER)
        transmission = make_transmission(
            number=number, issue_date=issued_on, client=client, **fields
        )
        Company.objects.update(siren=SELLER)
        return transmission

    return made


_ALL = ["200", "202", "203", "204", "205", "211"]
# Case, document, its day: the codes that come in, and what stands at the end.
STORIES = [
    ("UC1", "F202500003", date(2025, 7, 1), _ALL, "211", "client"),
    ("UC2", "F202500004", date(2025, 7, 1), ["200", "213"], "213", "failed"),
    ("UC3", "F202500005", date(2025, 7, 1), ["200", "202", "203", "210"], "210", "failed"),
    ("UC4", "F202500006", date(2025, 7, 1), ["200", "202", "203", "207", "220"], "207", "disputed"),
    ("UC4", "F202500010", date(2025, 7, 2), _ALL, "211", "client"),
    ("UC5", "F202500007", date(2025, 7, 2), ["200", "202", "203", "207", "205"], "205", "client"),
    ("UC5", "F202500011", date(2025, 7, 3), ["200", "202", "203", "204", "205"], "205", "client"),
    ("UC5", "F202500012", date(2025, 7, 5), _ALL, "211", "client"),
]  # fmt: skip


@pytest.mark.parametrize(("case", "number", "day", "codes", "last", "group"), STORIES)
@pytest.mark.parametrize("order", ["as it happened", "backwards", "twice and shuffled"])
def test_the_same_messages_in_give_the_same_states_out(
    seller, case, number, day, codes, last, group, order
):
    transmission = seller(number, day)
    # 212 is ours to say.
    told = [path for path in files(case, number) if code_of(path) != "212"]
    assert [code_of(path) for path in told] == codes
    if order == "backwards":
        told.reverse()
    elif order != "as it happened":
        told = told * 2
        random.Random(number).shuffle(told)
    for place, path in enumerate(told):
        rows = take_in(platform_id=f"flow-{place}", content=path.read_bytes(), filename=path.name)
        assert [row.transmission_id for row in rows] == [transmission.pk]
    transmission.refresh_from_db()
    assert (transmission.status_code, transmission.group) == (last, group)
    assert bool(transmission.deposited_at) == ("200" in codes)
    assert bool(transmission.available_at) == ("203" in codes)
    assert bool(transmission.approved_at) == ("205" in codes)
    assert bool(transmission.payment_announced_at) == ("211" in codes)
    kept = LifecycleStatus.objects.filter(transmission=transmission)
    assert {bytes(row.content) for row in kept} == {path.read_bytes() for path in told}


def test_times_are_those_of_france_and_reasons_are_kept(seller):
    transmission = seller("F202500005", date(2025, 7, 1))
    for place, path in enumerate(files("UC3", "F202500005")):
        take_in(platform_id=str(place), content=path.read_bytes(), filename=path.name)
    transmission.refresh_from_db()
    # 18:00 in July is 16:00 UTC.
    assert transmission.status_at.isoformat() == "2025-07-01T16:00:00+00:00"
    assert transmission.reason_code == "TX_TVA_ERR"
    assert transmission.reason_text == "Taux de TVA erroné"


def test_a_dispute_is_opened_once_and_ends_with_the_clients_next_word(seller):
    transmission = seller("F202500007", date(2025, 7, 2))
    told = {code_of(path): path for path in files("UC5", "F202500007")}
    for place, code in enumerate(["200", "203", "207", "207"]):
        take_in(platform_id=str(place), content=told[code].read_bytes(), filename="")
    dispute = Dispute.objects.get()
    assert (dispute.invoice_id, dispute.closed_at) == (transmission.invoice_id, None)
    assert dispute.reason_code == "TX_TVA_ERR"
    take_in(platform_id="x", content=told["205"].read_bytes(), filename="")
    dispute.refresh_from_db()
    assert dispute.closed_at is not None
    # The old word once more, late: the dispute stays closed.
    take_in(platform_id="y", content=told["207"].read_bytes(), filename="")
    assert Dispute.objects.get().closed_at is not None


def test_what_we_write_reads_back_as_the_norm_writes_it():
    path = CASES / "UC1" / "UC1_F202500003_07-CDV-212_Encaissee.xml"
    message = read(path.read_bytes())
    assert message.statuses[0].amounts[0].amount == 12_000
    assert message.statuses[0].amounts[0].rate == Decimal("20.00")
    assert read(write(message)) == message


def _schema():
    return etree.XMLSchema(
        etree.parse(AFNOR / "cdar-xsd" / "CrossDomainAcknowledgementAndResponse_100pD22B.xsd")
    )


def test_our_form_of_212_is_the_norms_element_by_element():
    path = CASES / "UC1" / "UC1_F202500003_07-CDV-212_Encaissee.xml"
    theirs = etree.fromstring(path.read_bytes(), etree.XMLParser(remove_comments=True))
    ours = etree.fromstring(write(read(path.read_bytes())))
    _schema().assertValid(ours)
    # They number the details only where there is a reason; the list of rules wants it always.
    said = [each for each in ours.iter() if not each.tag.endswith("SequenceNumeric")]
    assert [each.tag for each in said] == [each.tag for each in theirs.iter()]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "xml"),
        (b"no xml", "xml"),
        (b"<a/>", "root"),
        (b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>', "root"),
        (b" " * (2 * 2**20 + 1), "size"),
    ],
)
def test_what_is_no_message_is_kept_and_says_why(db, content, code):
    with pytest.raises(CdarUnreadable) as refusal:
        read(content)
    assert refusal.value.code == code
    row = take_in(platform_id="odd", content=content, filename="odd.xml")[0]
    assert bytes(row.content) == content
    assert row.problem_text
    assert take_in(platform_id="odd", content=content, filename="odd.xml") == []


def test_a_message_about_a_document_we_never_sent_goes_to_a_list_of_its_own(db):
    path = files("UC2", "F202500004")[-1]
    (row,) = take_in(platform_id="1", content=path.read_bytes(), filename=path.name)
    assert (row.transmission, row.code, row.number) == (None, "213", "F202500004")
    assert "F202500004" in row.problem_text


def test_a_code_that_nobody_knows_is_kept_and_changes_nothing(seller):
    transmission = seller("F202500003", date(2025, 7, 1))
    told = files("UC1", "F202500003")
    take_in(platform_id="1", content=told[0].read_bytes(), filename="")
    odd = told[1].read_bytes().replace(b">202<", b">299<")
    (row,) = take_in(platform_id="2", content=odd, filename="")
    assert (row.code, row.transmission_id) == ("299", transmission.pk)
    transmission.refresh_from_db()
    assert (transmission.status_code, transmission.group) == ("200", "waiting")
