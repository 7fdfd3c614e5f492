"""What can be wrong with a request about devices and gates."""

from __future__ import annotations

from server.db import Refusals
from server.errors import AppError


class UnknownDevice(AppError):
    """There is no such device in this event."""

    status = 404
    code = "device.unknown"


class UnknownGate(AppError):
    """There is no such gate in this event."""

    status = 404
    code = "device.unknown_gate"


class DeviceNameTaken(AppError):
    """Another device of this event has that name."""

    status = 409
    code = "device.name_taken"


class GateNameTaken(AppError):
    """Another gate of this event has that name."""

    status = 409
    code = "device.gate_name_taken"


class GateInUse(AppError):
    """Devices stand at this gate: move them first. One at which a revoked device stood or anybody was scanned stays."""

    status = 409
    code = "device.gate_in_use"


class DeviceRevoked(AppError):
    """This device is revoked for ever; add a new one, under the same name if you like."""

    status = 409
    code = "device.revoked"


class PairingMistyped(AppError):
    """This cannot be a pairing code: one has 8 characters, and the last one shows that another was mistyped."""

    status = 422
    code = "device.pairing_mistyped"


class PairingUnknown(AppError):
    """No device of this event waits for that code: it is wrong, was used already, or a newer one has taken its place."""

    status = 404
    code = "device.pairing_unknown"


class PairingExpired(AppError):
    """This pairing code is no longer valid; ask the organizer for a new one."""

    status = 410
    code = "device.pairing_expired"


class ProfileForbids(AppError):
    """This device's profile does not allow that."""

    status = 403
    code = "device.profile_forbids"


BY_CONSTRAINT: Refusals = {
    "device_gate": UnknownGate,
    "device_name": DeviceNameTaken,
    "gate_name": GateNameTaken,
}
BY_CONSTRAINT_OF_REMOVAL: Refusals = {"device_gate": GateInUse}
"""What is violated where a gate is removed: the same constraint, from its other side."""
