"""Random documents: the lawful all pass, the unlawful are each refused by the right rule."""

from __future__ import annotations

import os
from random import Random

import pytest

from invoices.documents.facturx import judging, validators, writing
from invoices.documents.facturx.agreement import disagreements
from invoices.documents.paper import Paper
from invoices.invoicing.einvoice_reasons import reasons_of
from tests.invoices.documents.facturx.lawful import SCENES, lawful
from tests.invoices.documents.facturx.unlawful import BREAKS

# More of them, once in a while: FUZZ_DOCUMENTS=10000.
LAWFUL, UNLAWFUL, PARTS = int(os.environ.get("FUZZ_DOCUMENTS", "2000")), 500, 10


def judged_rules(paper):
    return [failure.rule for failure in judging.judged(paper).failures]


@pytest.mark.parametrize("part", range(PARTS))
def test_every_lawful_document_passes(part):
    rng = Random(part)
    for n in range(part, LAWFUL, PARTS):
        paper = lawful(rng)
        found = judging.judged(paper)
        assert found.failures == (), (part, n, paper, found.failures)
        # And what is frozen is enough to make the same again.
        if n // PARTS % 20 == 0:
            again = Paper.from_json(paper.to_json())
            assert writing.cii(again) == found.content


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
def test_every_scene_passes_as_ubl_too(scene):
    rng = Random(scene.name)
    for _ in range(6):
        paper = lawful(rng, scene)
        assert judging.judged_content(writing.ubl(paper), "ubl-2.1") == [], paper


@pytest.mark.parametrize("part", range(PARTS))
def test_every_unlawful_document_is_refused_by_the_right_rule(part):
    rng = Random(1000 + part)
    for n in range(UNLAWFUL // PARTS):
        wrong = BREAKS[(part * UNLAWFUL // PARTS + n) % len(BREAKS)]
        paper = next(found for found in iter(lambda: lawful(rng), None) if wrong.fits(found))
        failures = judging.judged(wrong.spoil(paper)).failures
        rules = [failure.rule for failure in failures]
        assert wrong.rule in rules, (wrong.name, rules, paper)
        # A person reads words, and not “%(line)s”.
        reasons = reasons_of(failures)
        assert reasons
        assert all(len(reason.text) > 15 and "%" not in reason.text for reason in reasons)


def test_the_rules_that_were_thinned_judge_as_those_published():
    rng = Random(5)
    papers = [lawful(rng) for _ in range(25)]
    for wrong in BREAKS:
        paper = next(found for found in iter(lambda: lawful(rng), None) if wrong.fits(found))
        papers.append(wrong.spoil(paper))
    compared = 0
    for paper in papers:
        for write, syntax in ((writing.cii, "factur-x"), (writing.ubl, "ubl-2.1")):
            try:
                content = write(paper)
            except writing.XmlRefused:
                continue
            quick = validators.failed_assertions(content, syntax)
            assert quick == validators.failed_assertions(content, syntax, as_published=True)
            compared += 1
    assert compared > 120


def test_the_xml_is_read_back_and_compared_with_the_paper():
    paper = lawful(Random(1), SCENES[0])
    content = writing.cii(paper)
    assert disagreements(content, paper) == []
    number = paper.number.encode()
    assert disagreements(content.replace(number, b"F-1"), paper)
    total = str(paper.total_minor // 100).encode()
    assert any(
        told.startswith("total") for told in disagreements(content.replace(total, b"1"), paper)
    )
