"""What speakers answered to an event's own questions, and what they uploaded: links where it is one, else kept as it is."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from server.interchange.json_lists.draft import LinkDraft
from server.interchange.json_lists.parts import web_address
from server.interchange.json_lists.pretalx_lists import Lists, by_id
from server.interchange.reading.json_values import Map, identifier, is_empty
from server.interchange.reading.values import text

if TYPE_CHECKING:
    from server.interchange.reading.repairs import RepairLog


class Answers:
    """The answers, questions and resources of one file, which the API hands out as objects or as numbers."""

    def __init__(self, lists: Lists, log: RepairLog) -> None:
        self._log = log
        self._questions = by_id(lists.of("questions"))
        self._answers = by_id(lists.of("answers"))
        self._resources = by_id(lists.of("resources"))
        self._by_owner: defaultdict[tuple[str, str], list[Map]] = defaultdict(list)
        for answer in lists.of("answers"):
            for owner in ("submission", "person"):
                if code := identifier(answer.get(owner)):
                    self._by_owner[owner, code].append(answer)

    def of(self, entry: Map, owner: str, code: str) -> tuple[list[Any], tuple[LinkDraft, ...]]:
        """To keep, and as links. An answer to a question that is not public is neither."""
        listed = entry.get("answers")
        kept: list[Any] = []
        links: list[LinkDraft] = []
        met: set[str] = set()
        for answer in [*(listed if isinstance(listed, list) else ()), *self._by_owner[owner, code]]:
            known = answer if isinstance(answer, dict) else self._answers.get(identifier(answer))
            if known is None:
                if not is_empty(answer):
                    kept.append(answer)
                continue
            number = identifier(known)
            if number not in met or not number:
                met.add(number)
                self._sort(known, owner, kept, links)
        return kept, tuple(links)

    def _sort(self, answer: Map, owner: str, kept: list[Any], links: list[LinkDraft]) -> None:
        asked = answer.get("question")
        question = asked if isinstance(asked, dict) else self._questions.get(identifier(asked), {})
        label = question.get("question") or identifier(asked)
        if question.get("is_public") is False or question.get("contains_personal_data") is True:
            self._log.unkept("speaker" if owner == "person" else "event", "answers that are not public")
            return
        if web_address(answer.get("answer_file")):
            links.append(LinkDraft(url=answer["answer_file"], title=label, kind="file"))
        if web_address(answer.get("answer")):
            links.append(LinkDraft(url=answer["answer"], title=label))
            return
        options = answer.get("options")
        chosen = (
            [option.get("answer") for option in options if isinstance(option, dict)]
            if isinstance(options, list)
            else []
        )
        said = {"question": label, "answer": answer.get("answer"), "options": chosen}
        if not is_empty(said["answer"]) or chosen:
            kept.append({name: value for name, value in said.items() if not is_empty(value)})

    def resources_of(self, entry: Map) -> tuple[list[Any], tuple[LinkDraft, ...]]:
        """To keep, for they lead nowhere; and files and pages as links. What is not public is neither."""
        listed = entry.get("resources")
        kept: list[Any] = []
        links: list[LinkDraft] = []
        for resource in listed if isinstance(listed, list) else ():
            known = resource if isinstance(resource, dict) else self._resources.get(identifier(resource), {})
            if known.get("is_public") is False:
                self._log.unkept("event", "resources that are not public")
                continue
            address = next((url for name in ("resource", "link", "url") if (url := web_address(known.get(name)))), None)
            if address is not None:
                title = known.get("description")
                links.append(LinkDraft(url=address, title=title if text(title) else None, kind="file"))
            elif not is_empty(resource):
                kept.append(resource)
        return kept, tuple(links)
