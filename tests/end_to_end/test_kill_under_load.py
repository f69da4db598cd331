"""Nothing acknowledged is lost, nothing half-written is shown, and the collector starts every time."""

import pytest

from tests.end_to_end.kill_campaign import KillCampaign


def told(campaign):
    print(
        f"{campaign.rounds} kills under load and {campaign.killed_starting} during starts: "
        f"{len(campaign.acknowledged)} bodies acknowledged, all there; of those never answered "
        f"{len(campaign.kept)} are there and {len(campaign.lost)} are not"
    )


def test_a_killed_collector_keeps_what_it_acknowledged(tmp_path):
    campaign = KillCampaign(tmp_path, seed=1)
    campaign.run(2)
    told(campaign)
    assert campaign.acknowledged


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_a_collector_killed_50_times_keeps_what_it_acknowledged(tmp_path):
    campaign = KillCampaign(tmp_path, seed=2)
    campaign.run(50)
    told(campaign)
    assert len(campaign.acknowledged) > 1000
    assert campaign.killed_starting
