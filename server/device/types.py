"""Devices' and gates' shapes: what an organizer sends, what a phone that pairs sends, rows and answers."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

Profile = Literal["scan", "scan+search", "kiosk", "supervisor"]
"""What a device may do; `policy.RIGHTS` says it."""

Right = Literal[
    "check_in",
    "check_out",
    "check_in_batch",
    "read_lists",
    "snapshot",
    "personal_data",
    "search",
    "undo_own",
    "undo_any",
    "see_conflicts",
    "see_statistics",
]

State = Literal["waiting", "paired", "revoked"]

# A NUL character is valid JSON but no database text can hold it.
Name = Annotated[str, Meta(pattern=r"^[^\x00]*[^\s\x00][^\x00]*$", max_length=100)]
SelfDescription = Annotated[str, Meta(pattern=r"^[^\x00]*$", max_length=200)]


class NameGate(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a gate is called."""

    name: Name


class Gate(Struct, frozen=True):
    """A place at which devices stand."""

    id: UUID
    name: str


class GatePage(Struct, frozen=True, kw_only=True):
    gates: list[Gate]
    """By when they were made."""
    next_cursor: str | None


class AddDevice(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A device that a phone can then become."""

    name: Name
    """Unique among the event's devices that are not revoked."""
    gate: Name
    """The gate's id or its name."""
    profile: Profile = "scan"


class ChangeDevice(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is left out stays as it is."""

    name: Name | UnsetType = UNSET
    gate: Name | UnsetType = UNSET
    """The gate's id or its name."""
    profile: Profile | UnsetType = UNSET


class PairDevice(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A phone that wants to become a device."""

    code: Annotated[str, Meta(min_length=1, max_length=100)]
    """As read from the QR, or as somebody typed it: spaces, hyphens and small letters do not matter."""
    app: SelfDescription | None = None
    """The app and its version; left out, the User-Agent says it."""
    platform: SelfDescription | None = None
    """The phone and its system."""


class Device(Struct, frozen=True):
    """A device as organizers see it."""

    id: UUID
    name: str
    gate_id: UUID
    gate: str
    profile: Profile
    state: State
    pairing_expires_at: datetime | None
    """Until when a phone can take its place; null where no pairing code was given out or it has been used."""
    paired_at: datetime | None
    last_seen_at: datetime | None
    """To a few seconds."""
    app: str | None
    platform: str | None
    created_at: datetime
    revoked_at: datetime | None


class DevicePage(Struct, frozen=True, kw_only=True):
    devices: list[Device]
    """By when they were made, revoked ones included."""
    next_cursor: str | None


class Pairing(Struct, frozen=True, kw_only=True):
    """By which a phone becomes a device; shown once."""

    code: str
    """To type: seven characters and a check character."""
    expires_at: datetime
    qr: str
    """The text to show as a QR code: `{"v": 1, "url", "event", "code"}`."""


class NewDevice(Struct, frozen=True, kw_only=True):
    device: Device
    pairing: Pairing


class PairingContent(Struct, frozen=True, kw_only=True):
    """What a pairing's QR code says. An app refuses a `v` that it does not know."""

    v: int = 1
    url: str
    """The API's base, without `/v1`."""
    event: str
    code: str


class Invitation(Struct, frozen=True):
    """A device and the code by which a phone becomes it."""

    device: Device
    code: str
    expires_at: datetime


class DeviceSelf(Struct, frozen=True, kw_only=True):
    """What a scanner shows of itself."""

    device_id: UUID
    name: str
    gate: str
    profile: Profile
    rights: list[Right]
    """What its profile allows."""
    event: str
    """The event's slug."""


class Paired(Struct, frozen=True, kw_only=True):
    """What a phone gets that has become a device."""

    device_id: UUID
    name: str
    gate: str
    profile: Profile
    token: str
    """For the Authorization header; given out this once."""
    event: str
    """The event's slug."""


class PairedRow(Struct, frozen=True):
    device_id: UUID
    name: str
    gate: str
    profile: Profile
    paired_at: datetime


class SelfRow(Struct, frozen=True):
    device_id: UUID
    name: str
    gate: str
    profile: Profile


class DeviceRow(Struct, frozen=True):
    """A device that may scan, and where it stands."""

    device_id: UUID
    name: str
    gate_id: UUID
    gate: str
    token_hash: bytes | None
    """None: it waits for its phone, or is revoked."""
    revoked: bool
    profile: Profile


class DeviceChanged(Struct, frozen=True):
    """The data of `device.created` and `device.changed` on channel `checkin`."""

    device_id: UUID
    name: str
    gate: str
    profile: Profile


class GateChanged(Struct, frozen=True):
    """The data of the `KINDS` of event on channel `checkin`."""

    KINDS: ClassVar = ("gate.created", "gate.changed", "gate.deleted")

    gate_id: UUID
    name: str


EVENTS: dict[str, type] = {
    "device.created": DeviceChanged,
    "device.changed": DeviceChanged,
    **dict.fromkeys(GateChanged.KINDS, GateChanged),
}
"""Kind → data of what is told of devices and gates. That a token ends is told in the feed's own terms: `feed.types`."""
