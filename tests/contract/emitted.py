"""Every place in the code where an event is told, as its calls of `emit` and `emit_to_each` say."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from tests.contract.statements import CHECKOUT, SERVER

EMITTERS = {"emit": None, "emit_to_each": "me"}
"""Function → the channel it always tells on."""


class Emission(NamedTuple):
    """An event that is told. None: the call does not say it in a way that can be read without running it."""

    where: str
    kind: re.Pattern[str] | None
    channel: str | None
    """Without its audience or owner."""


def emissions() -> list[Emission]:
    """All of the server's."""
    found: list[Emission] = []
    for path in sorted(SERVER.rglob("*.py")):
        name = path.relative_to(CHECKOUT).with_suffix("").as_posix().replace("/", ".")
        tree = ast.parse(path.read_text("utf-8"))
        if any(_emitter(node) for node in ast.walk(tree)) and name != "server.feed.actions":
            found += emissions_in(tree, vars(importlib.import_module(name)), name)
    return found


def emissions_in(tree: ast.AST, names: Mapping[str, Any], where: str) -> Iterator[Emission]:
    """Those of one module; `names` are what is defined and imported in it."""
    for function, node in _calls(tree):
        emitter = _emitter(node)
        if emitter is not None:
            given = _words(node)
            channel = EMITTERS[emitter] or _channel(given.get("channel"), names)
            kinds = [kind for branch in _branches(given.get("kind")) for kind in _handed(branch, function, tree)]
            yield from (Emission(f"{where}:{node.lineno}", _kind(kind, names), channel) for kind in kinds)


def _calls(tree: ast.AST) -> Iterator[tuple[ast.AST, ast.Call]]:
    """Every call with the innermost function that it stands in."""
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    inside = {
        id(node): function for function in [tree, *functions] for node in ast.walk(function)
    }  # the innermost is the last
    return ((inside[id(node)], node) for node in ast.walk(tree) if isinstance(node, ast.Call))


def _words(call: ast.Call) -> dict[str | None, ast.expr]:
    return {word.arg: word.value for word in call.keywords}


def _handed(node: ast.expr | None, function: ast.AST, tree: ast.AST) -> list[ast.expr | None]:
    """What callers in the same file give for a parameter that must be named; any other expression as it is."""
    parameters = function.args.kwonlyargs if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef) else []
    if not isinstance(node, ast.Name) or node.id not in {each.arg for each in parameters}:
        return [node]
    name = function.name  # type: ignore[attr-defined]
    calls = [call for _, call in _calls(tree) if isinstance(call.func, ast.Name) and call.func.id == name]
    return [_words(call).get(node.id) for call in calls] or [None]


def _emitter(node: ast.AST) -> str | None:
    name = ast.unparse(node.func).rpartition(".")[2] if isinstance(node, ast.Call) else ""
    return name if name in EMITTERS else None


def _branches(node: ast.expr | None) -> list[ast.expr | None]:
    return [*_branches(node.body), *_branches(node.orelse)] if isinstance(node, ast.IfExp) else [node]


def _kind(node: ast.expr | None, names: Mapping[str, Any]) -> re.Pattern[str] | None:
    """What the kind can be: of an f-string only the written parts are known."""
    if isinstance(node, ast.JoinedStr):
        parts = [re.escape(str(one.value)) if isinstance(one, ast.Constant) else "[a-z_]+" for one in node.values]
        return re.compile("".join(parts))
    value = _value(node, names)
    return re.compile(re.escape(value)) if isinstance(value, str) else None


def _channel(node: ast.expr | None, names: Mapping[str, Any]) -> str | None:
    if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("announcements_to"):
        return "announcements"
    if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("own") and node.args:
        return _channel(node.args[0], names)
    value = _value(node, names)
    return value.partition(":")[0] if isinstance(value, str) else None


def _value(node: ast.expr | None, names: Mapping[str, Any]) -> Any:
    """What an expression made of constants and names stands for; None for any other."""
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Name):
        return names.get(node.id)
    if isinstance(node, ast.Attribute):
        return getattr(_value(node.value, names), node.attr, None)
    return None


def unknown(found: list[Emission], told: Mapping[str, set[str]]) -> list[str]:
    """Events that are told and are not in `told`: kind → the channels it is described on."""
    faults = []
    for one in found:
        if one.kind is None:
            faults.append(f"{one.where}: give `kind` as a constant, so that it can be compared with the document")
        elif not any(one.kind.fullmatch(kind) and one.channel in {None, *on} for kind, on in told.items()):
            faults.append(f"{one.where}: nobody described `{one.kind.pattern}` on channel {one.channel}")
    return faults


def never_told(found: list[Emission], told: Mapping[str, set[str]]) -> list[str]:
    """Kinds and channels that are described and told by nobody."""
    return [
        f"{kind} on {channel}"
        for kind, channels in told.items()
        for channel in sorted(channels)
        if not any(one.kind and one.kind.fullmatch(kind) and one.channel in (None, channel) for one in found)
    ]
