import pytest

from weft.sampling import SAMPLERS


@pytest.mark.parametrize(
    ("name", "root", "sampled_parent", "unsampled_parent"),
    [
        ("always_on", True, True, True),
        ("always_off", False, False, False),
        ("parentbased_always_on", True, True, False),
        ("parentbased_always_off", False, True, False),
    ],
)
def test_decisions(name, root, sampled_parent, unsampled_parent):
    sampler = SAMPLERS[name]
    assert [sampler(None), sampler(0x03), sampler(0x02)] == [root, sampled_parent, unsampled_parent]
