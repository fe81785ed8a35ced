"""The warm validators: from many threads, after a fork, and what they read."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal
from random import Random

from invoices.documents.facturx import judging, validators, writing
from tests.invoices.documents.facturx.lawful import SCENES, lawful


def documents(n=12):
    """Good and bad by turns, so that an answer in another's place is seen."""
    rng = Random(11)
    for place in range(n):
        paper = lawful(rng, SCENES[0])
        if place % 2:
            paper = replace(paper, electronic_address="", electronic_address_scheme="")
        yield paper, place % 2 == 0


def test_many_threads_get_each_its_own_answer():
    work = [(writing.cii(paper), good) for paper, good in documents()] * 4
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda one: validators.failed_assertions(one[0]), work))
    assert [not answer for answer in answers] == [good for _content, good in work]


def test_threads_write_at_once():
    rng = Random(12)
    papers = [lawful(rng) for _ in range(40)]
    alone = [(writing.cii(paper), writing.ubl(paper)) for paper in papers]
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(lambda p: (writing.cii(p), writing.ubl(p)), papers)) == alone


def test_a_forked_process_judges_anew():
    paper = lawful(Random(13), SCENES[0])
    content = writing.cii(paper)
    assert validators.failed_assertions(content) == []
    child = os.fork()
    if not child:
        try:
            good = validators.failed_assertions(content) == []
            bad = judging.judged(replace(paper, electronic_address="")).failures
            os._exit(0 if good and bad else 1)
        finally:
            os._exit(2)
    _pid, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert validators.failed_assertions(content) == []


def test_what_the_schema_refuses_is_told_with_its_place():
    content = writing.cii(lawful(Random(14), SCENES[0]))
    broken = content.replace(b"<ram:TypeCode>380", b"<ram:Type>380", 1).replace(
        b"380</ram:TypeCode>", b"380</ram:Type>", 1
    )
    (found,) = judging.judged_content(broken)
    assert found.rule == "XSD"
    assert "ExchangedDocument" in found.place


def test_the_line_of_a_rule_is_told():
    paper = lawful(Random(15), SCENES[0])
    line = replace(paper.lines[0], unit="jour", net_minor=0, quantity=Decimal(0), discount_minor=0)
    spoiled = replace(paper, lines=(*paper.lines, line))
    failures = judging.judged(spoiled).failures
    assert {failure.line for failure in failures if "unitCode" in failure.text} == {
        len(spoiled.lines)
    }
