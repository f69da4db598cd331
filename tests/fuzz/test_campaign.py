"""The campaign finds what it is there to find, and a short one of every decoder finds nothing."""

import zlib

import numpy as np
import pytest

from tests.fuzz import campaign as campaigns
from tests.fuzz.campaign import Campaign, shares
from tests.fuzz.mutations import BATCH, batch, places_of_structure
from tests.fuzz.targets import TARGETS, spans_bodies
from weft_collector.errors import CorruptLog
from weft_collector.store.blocks import BlockHeader, inflate_block

LONG = 10_000_000


@pytest.mark.parametrize(
    ("deed", "told"), [("overrun", "-11"), ("abort", "-6"), ("confuse", "own way"), ("hang", "hung")]
)
def test_a_decoder_that_dies_leaves_the_body_that_killed_it(tmp_path, monkeypatch, deed, told):
    monkeypatch.setattr(campaigns, "HANG_SECONDS", 5.0)
    campaign = Campaign(tmp_path, "tests.fuzz.dying_worker")
    campaign.run({deed: BATCH})
    (defect,) = campaign.defects
    assert told in defect.what
    assert defect.body.name == f"{deed}-0-10.body"
    assert defect.body.read_bytes()


def test_a_campaign_goes_on_where_it_was(tmp_path):
    Campaign(tmp_path).run({"gzip": 2 * BATCH})
    again = Campaign(tmp_path)
    assert again.tried == 2 * BATCH
    again.run({"gzip": 2 * BATCH})
    assert again.tried == 2 * BATCH
    again.run({"gzip": 3 * BATCH})
    assert Campaign(tmp_path).tried == 3 * BATCH


@pytest.mark.parametrize("name", TARGETS)
def test_a_short_campaign_finds_nothing(tmp_path, name):
    campaign = Campaign(tmp_path)
    campaign.run({name: 6 * BATCH})
    assert campaign.defects == []
    assert campaign.tried == 6 * BATCH
    assert len(campaign.verdicts[name]) > 1, "all bodies had the same end: the damage does not go deep"


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize(("name", "bodies"), shares(LONG, list(TARGETS)).items())
def test_ten_million_bodies_find_nothing(tmp_path, name, bodies):
    campaign = Campaign(tmp_path)
    campaign.run({name: bodies})
    print(f"{name}: {dict(campaign.verdicts[name])}")
    assert campaign.defects == []
    assert campaign.tried >= bodies


def test_batches_are_the_same_every_time_and_hardly_repeat():
    body, others = spans_bodies()[0], spans_bodies()
    places = places_of_structure(body)
    first, again = (list(batch(body, others, places, np.random.default_rng(1))) for _ in range(2))
    assert first == again
    assert len(first) == BATCH
    assert len(set(first)) > BATCH * 0.9


def test_structure_is_found_in_nested_messages():
    body = b"\x0a\x04\x12\x02\x08\x01\x10\x96\x01"
    assert places_of_structure(body).tolist() == [0, 1, 2, 3, 4, 6]


def test_a_payload_that_announces_more_than_its_header_is_damage():
    """Found by `log_block_resealed`: room for the announced length was asked for, up to all memory."""
    payload = bytes.fromhex("28b52ffdc0" + "00" + "ff" * 6 + "00" + "010000")
    header = BlockHeader(1, 100, len(payload), 1, zlib.crc32(payload))
    with pytest.raises(CorruptLog, match="announces"):
        inflate_block(header, payload)
