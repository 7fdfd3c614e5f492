"""The plan of the scanners' return: as many conflicts as it says, each between two scanners."""

from __future__ import annotations

import random
from collections import defaultdict

import pytest

from loadtests.offline_return import QUEUED, SCANNERS, plan

CODES = [f"badge {number}" for number in range(5000)]


@pytest.mark.parametrize("seed", range(3))
def test_every_double_is_one_of_two_scanners(seed: int) -> None:
    queues, doubles = plan(random.Random(seed), CODES)
    by_pair: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for scanner, queue in enumerate(queues):
        for pair in queue:
            by_pair[pair].append(scanner)
    twice = [scanners for scanners in by_pair.values() if len(scanners) > 1]
    assert len(twice) == doubles
    assert all(len(set(scanners)) == 2 for scanners in twice)
    assert {len(queue) for queue in queues} == {QUEUED}
    assert len(queues) == SCANNERS
