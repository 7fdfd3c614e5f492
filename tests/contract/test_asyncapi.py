"""The document at /asyncapi.json: well formed, complete, and in step with the code that tells the events."""

from __future__ import annotations

import ast
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from jsonschema import Draft7Validator
from msgspec import Struct, inspect

from server.asyncapi import channels, document as document_module
from server.asyncapi.channels import CHANNELS, FeedChannel
from server.live.protocol import HEARTBEAT_SECONDS, MAX_CHANNELS, REASONS, RETRY_MILLISECONDS, Close, client_frames
from tests.contract.asyncapi_standard import STANDARD
from tests.contract.documents import assert_as_reviewed, broken_variant, differences, normalised, references
from tests.contract.emitted import Emission, emissions, emissions_in, never_told, unknown
from tests.contract.frames import CLIENTS, DOCUMENT, KINDS, MESSAGES, channels_by_kind, faults, make_document, name_of
from tests.contract.published import url_of

SNAPSHOT = Path(__file__).with_name("asyncapi.snapshot.json")


def standard_faults(document: dict[str, Any]) -> list[str]:
    """Where a document is not AsyncAPI 3.0."""
    return [f"{error.json_path}: {error.message[:200]}" for error in Draft7Validator(STANDARD).iter_errors(document)]


def leads_somewhere(document: dict[str, Any], reference: str) -> bool:
    place: Any = document
    for step in reference.removeprefix("#/").split("/"):
        if not isinstance(place, dict) or step not in place:
            return False
        place = place[step]
    return True


def reference_faults(document: dict[str, Any]) -> list[str]:
    """References to nothing, components that nothing refers to, and operations whose messages are another channel's."""
    said = set(references(document))
    parts = {f"#/components/{sort}/{name}" for sort, named in document["components"].items() for name in named}
    found = [f"{one} leads nowhere" for one in said if not leads_somewhere(document, one)]
    found += [f"{one} is used by nobody" for one in parts - said]
    for name, operation in document["operations"].items():
        for part in (operation, *([operation["reply"]] if "reply" in operation else [])):
            own = part["channel"]["$ref"]
            found += [
                f"{name}: {one['$ref']}" for one in part["messages"] if one["$ref"].rpartition("/messages/")[0] != own
            ]
    return sorted(found)


def test_document_is_asyncapi() -> None:
    Draft7Validator.check_schema(STANDARD)
    assert standard_faults(DOCUMENT) == []
    assert reference_faults(DOCUMENT) == []


def test_a_broken_document_is_noticed() -> None:
    broken = partial(broken_variant, DOCUMENT)
    schemas = ("components", "schemas", "Bye")
    nowhere = {"$ref": "#/components/schemas/Nothing"}
    for document in (
        broken("asyncapi", value="2.6.0"),
        broken("info", value={"title": "without a version"}),
        broken("servers", "ws", value={"url": "ws://127.0.0.1:8001"}),
        broken("servers", "ws", "protocol", value="smtp"),
        broken("channels", "live", "publish", value={}),
        broken("channels", "live", "address", value="no-slash"),
        broken("channels", "live", "bindings", "ws", "method", value="PUT"),
        broken("operations", "sendFrames", "action", value="publish"),
        broken("operations", "sendFrames", "channel", value="live"),
        broken("operations", "sendFrames", "messages", value=[{"$ref": "#/components/messages/bye"}]),
        broken("components", "parameters", "event", "schema", value={}),
        broken("components", "messages", "bye", "payload", value={"type": "text"}),
        broken(*schemas, value={"type": "array", "prefixItems": []}),
        broken(*schemas, value=nowhere | {"description": "draft 07 does not read this"}),
    ):
        assert standard_faults(document)
    assert reference_faults(broken(*schemas, value=nowhere)) == ["#/components/schemas/Nothing leads nowhere"]
    assert reference_faults(broken("components", "messages", "forgotten", value={})) == [
        "#/components/messages/forgotten is used by nobody"
    ]
    stray = [{"$ref": "#/channels/stream/messages/bye"}]
    assert reference_faults(broken("operations", "sendFrames", "messages", value=stray)) == [
        "sendFrames: #/channels/stream/messages/bye"
    ]


def test_document_is_as_reviewed() -> None:
    assert_as_reviewed(DOCUMENT, SNAPSHOT, "tests/contract/test_asyncapi.py")


def test_a_renewed_document_is_the_same() -> None:
    document_module.feed_document.cache_clear()
    assert differences(normalised(DOCUMENT), normalised(make_document())) == []


async def test_the_served_document_is_that_document(api: httpx.AsyncClient) -> None:
    response = await api.get(url_of(api, "/asyncapi.json"))
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/vnd.aai.asyncapi+json;version=3.0.0"
    assert differences(normalised(DOCUMENT), normalised(response.json())) == []
    assert '<a href="/asyncapi.json">' in (await api.get(url_of(api, "/docs"))).text


def test_every_close_code_says_what_to_do() -> None:
    codes = {value for name, value in vars(Close).items() if name.isupper()}
    told = {one["code"]: one for one in DOCUMENT["x-close-codes"]}
    assert told.keys() == codes == REASONS.keys()
    verdicts = {40: "resume", 41: "act", 45: "stop"}
    for code, one in told.items():
        assert (one["then"], one["reason"]) == (verdicts[code // 100], REASONS[code])
        assert one["retry_after_ms"] == (list(RETRY_MILLISECONDS[code]) if code in RETRY_MILLISECONDS else None)
        assert one["description"].endswith(".")
        assert f"| {code} | {one['reason']} | {one['then']} |" in DOCUMENT["info"]["description"]


def test_limits_are_those_in_force() -> None:
    limits = DOCUMENT["x-limits"]
    assert (limits["heartbeat_seconds"], limits["max_channels"]) == (HEARTBEAT_SECONDS, MAX_CHANNELS)


def test_every_event_that_is_told_is_described() -> None:
    found = emissions()
    assert len(found) >= 20
    assert unknown(found, channels_by_kind()) == []


def test_every_event_that_is_described_is_told() -> None:
    assert never_told(emissions(), channels_by_kind()) == []
    assert channels_by_kind().keys() == KINDS


def emitted_in(code: str, **names: object) -> list[Emission]:
    return list(emissions_in(ast.parse(code), names, "here"))


def test_an_event_nobody_described_is_noticed() -> None:
    told = {"gate.created": {"checkin"}, "device.revoked": {"checkin"}}
    good = emitted_in(
        "emit(tx, e, channel=CHECKIN, kind='gate.created', data=d)\n"
        "feed.emit(tx, e, channel=CHECKIN, kind=f'{k}.revoked', data=d)\n",
        CHECKIN="checkin",
    )
    assert (unknown(good, told), never_told(good, told)) == ([], [])
    for code in (
        "emit(tx, e, channel=CHECKIN, kind='gate.opened', data=d)",
        "emit(tx, e, channel='schedule', kind='gate.created', data=d)",
        "emit(tx, e, channel=CHECKIN, kind=GATE, data=d)",
        "emit(tx, e, channel=CHECKIN, kind='gate.created' if x else 'gate.opened', data=d)",
        "emit(tx, e, channel=CHECKIN, kind=f'{k}.retired', data=d)",
        "emit(tx, e, channel=CHECKIN, kind=kind_of(d), data=d)",
        "emit_to_each(tx, e, people, kind='gate.created', data=d)",
    ):
        assert len(unknown(emitted_in(code, CHECKIN="checkin", GATE="gate.shut"), told)) == 1, code
    handed = "def tell(tx, *, kind): emit(tx, e, channel=CHECKIN, kind=kind, data=d)\n"
    assert unknown(emitted_in(f"{handed}tell(tx, kind='gate.created')", CHECKIN="checkin"), told) == []
    assert unknown(emitted_in(f"{handed}tell(tx, kind='gate.opened')", CHECKIN="checkin"), told)
    assert unknown(emitted_in(handed, CHECKIN="checkin"), told), "by nobody in sight"
    assert unknown(emitted_in("emit(tx, e, channel=announcements_to(a), kind='gate.created', data=d)"), told)
    assert unknown(emitted_in("emit(tx, e, channel=chosen, kind='gate.created', data=d)"), told) == [], "any channel"
    assert never_told(good[:1], told) == ["device.revoked on checkin"]


def test_two_meanings_of_one_kind_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    again = FeedChannel("me", "Something else.", {"session.changed": FeedChannel})
    monkeypatch.setattr(channels, "CHANNELS", (*CHANNELS, again))
    with pytest.raises(ValueError, match=r"session\.changed"):
        channels.kinds()


def sample(kind: Any) -> Any:
    """A value of a type, as `msgspec` describes it; every optional member is there."""
    match kind:
        case inspect.StructType():
            return {field.encode_name: sample(field.type) for field in kind.fields}
        case inspect.UnionType():
            return sample(kind.types[0])
        case inspect.ListType():
            return [sample(kind.item_type)]
        case inspect.DictType():
            return {sample(kind.key_type): sample(kind.value_type)}
        case inspect.LiteralType():
            return kind.values[0]
    plain = {
        inspect.UUIDType: "0193d9a1-5c00-7000-8000-3b6f6f0c1d2e", inspect.DateTimeType: "2026-12-18T09:30:00Z",
        inspect.StrType: "Rabat", inspect.IntType: 3, inspect.BoolType: True, inspect.NoneType: None, inspect.AnyType: [1],
        inspect.FloatType: 0.5,
    }  # fmt: skip
    return plain[type(kind)]


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_an_event_as_its_struct_encodes_it_is_as_described(kind: str) -> None:
    data: type = channels.kinds()[kind]
    assert issubclass(data, Struct)
    value = msgspec.convert(sample(inspect.type_info(data)), data, strict=False)
    for channel in (one.example for one in CHANNELS if kind in one.events):
        event = {
            "type": "event", "channel": channel, "seq": 7, "id": "0193d9a1-5c00-7000-8000-3b6f6f0c1d2e",
            "at": "2026-12-18T09:30:00Z", "kind": kind, "data": msgspec.to_builtins(value),
        }  # fmt: skip
        assert faults(event) == []
        assert faults(event | {"channel": "session:1"}), "a channel that it is never told on"
        assert faults(event | {"data": {**event["data"], "extra": 1}})
        assert faults(event | {"data": []})


def test_examples_are_as_described() -> None:
    for name, message in MESSAGES.items():
        for example in message.get("examples", ()):
            frame = example["payload"]
            assert name_of(frame) == name
            assert faults(frame) == []
            if name in CLIENTS:
                assert msgspec.to_builtins(client_frames.decode(msgspec.json.encode(frame)))["type"] == name
    assert all("examples" in MESSAGES[name] for name in (*CLIENTS, "ready", "state", "heartbeat", "bye"))
