"""An organizer with lists to make and phones to try them with."""

from __future__ import annotations

import httpx
import pytest

from tests.conftest import Demo
from tests.phones import Organizer, Phone, organizer_of, phone_of


@pytest.fixture
def organizer(api: httpx.AsyncClient, demo: Demo) -> Organizer:
    return organizer_of(api, demo)


@pytest.fixture
def phone(api: httpx.AsyncClient, demo: Demo) -> Phone:
    return phone_of(api, demo, "scan+search")
