"""After a restore every log is another one: nobody goes on from a position in a future that has not happened."""

from __future__ import annotations

import asyncio
import subprocess
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest

from server.commands.migrate import _renew
from server.config import Settings
from server.db import Database, connect
from server.embedded import EmbeddedPostgres, binaries
from server.feed import Watch, emit_to_each, queries
from server.ids import new_id
from server.migrate import migrate
from tests.conftest import Publish, running_gateway
from tests.sockets import at, phone
from tests.waiting import until_answered

NOTED = "SELECT history FROM digitalnow_installation"


async def watch_once(url: str) -> None:
    async with Watch(url, name="watch under test").run():
        pass


async def epochs(db: Database) -> dict[str, str]:
    async with db.read() as connection:
        return dict(await connection.fetch("SELECT channel, epoch FROM feed_channel"))


async def pretend(db: Database, history: str | None) -> None:
    async with db.tx() as tx:
        await tx.execute("UPDATE digitalnow_installation SET history = $1", history)


async def test_the_first_look_notes_where_it_is(db: Database, database_url: str) -> None:
    await pretend(db, None)
    before = await epochs(db)
    await watch_once(database_url)
    await watch_once(database_url)
    assert await epochs(db) == before
    async with db.read() as connection:
        noted = await connection.fetchval(NOTED)
        cluster, timeline = await connection.fetchrow(
            "SELECT system_identifier, timeline_id FROM pg_control_system(), pg_control_checkpoint()"
        )
    assert noted == f"{cluster}.{timeline:08X}"


@pytest.mark.parametrize("part", ["cluster", "timeline"])
async def test_another_cluster_or_timeline_is_another_log(
    db: Database, database_url: str, event_id: UUID, part: str
) -> None:
    async with db.tx() as tx:
        await emit_to_each(tx, event_id, [new_id()], kind="test.told", data={})
    await watch_once(database_url)
    before = await epochs(db)
    async with db.read() as connection:
        cluster, _, timeline = (await connection.fetchval(NOTED)).partition(".")
    await pretend(db, f"1{cluster}.{timeline}" if part == "cluster" else f"{cluster}.0000FFFF")
    await asyncio.gather(*(watch_once(database_url) for _ in range(5)))
    after = await epochs(db)
    assert after.keys() == before.keys()
    assert len({*after.values()}) == 1
    assert not {*after.values()} & {*before.values()}, "personal ones too"
    await watch_once(database_url)
    assert await epochs(db) == after, "once is enough"


async def test_a_server_that_went_on_through_it_notices(db: Database, database_url: str) -> None:
    """Behind the same address there is another PostgreSQL when the connection comes back."""
    async with Watch(database_url, name="doomed watch").run():
        before = await epochs(db)
        await pretend(db, "another.00000001")
        async with db.read() as connection:
            await connection.fetch(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE '%doomed%'"
            )

        async def are_others() -> bool:
            return await epochs(db) != before

        await until_answered(are_others, wanted=True)


async def test_no_superuser_is_needed(db: Database, database_url: str) -> None:
    role = f"plain_{new_id().hex}"
    async with db.read() as connection:
        await connection.execute(f"CREATE ROLE {role}; GRANT SELECT, UPDATE ON ALL TABLES IN SCHEMA public TO {role}")
        try:
            await connection.execute(f"SET ROLE {role}")
            await queries.renew_if_restored(connection, epoch="e")
        finally:
            await connection.execute(f"RESET ROLE; DROP OWNED BY {role}; DROP ROLE {role}")


async def test_an_operator_can_say_it(db: Database, database_url: str) -> None:
    before = await epochs(db)
    assert await _renew(database_url) == len(before)
    assert not {*(await epochs(db)).values()} & {*before.values()}


def program(name: str) -> str:
    path = binaries.find() / name
    if not path.exists():
        pytest.skip(f"this PostgreSQL comes without {name}")
    return str(path)


@pytest.mark.timeout(120)
async def test_a_restored_dump_sends_everybody_to_fetch(
    database_url: str, publish: Publish, event_id: UUID, tmp_path: Path
) -> None:
    """Five events, a dump, three more that are lost with it: whoever had read up to the fifth is told to start over."""
    dump = tmp_path / "dump.sql"
    await publish(count=5)
    subprocess.run([program("pg_dump"), "--no-owner", "--file", dump, database_url], check=True)  # noqa: ASYNC221
    await publish(count=3, data="lost")
    with EmbeddedPostgres(tmp_path / "other", durable=False) as postgres:
        url = postgres.start()
        subprocess.run(  # noqa: ASYNC221
            [program("psql"), "--quiet", "-v", "ON_ERROR_STOP=1", "--file", dump, url], check=True, capture_output=True
        )
        await migrate(url, durable=False)
        async with running_gateway(Settings(database_url=url, durable=False)) as feed, phone(feed) as client:
            connection = await connect(url, name="test")
            old = await asyncpg.connect(database_url)
            try:
                epoch = await old.fetchval("SELECT epoch FROM feed_channel WHERE channel = 'announcements'")
                ready = await client.hello(at("announcements", epoch, 5), at("announcements:staff", epoch, 0))
            finally:
                await old.close()
                await connection.close()
            channel = ready["channels"][0]
            assert (channel["resumed"], channel["reason"], channel["seq"]) == (False, "epoch", 5)
            assert channel["epoch"] != epoch


async def test_a_restore_that_nobody_noticed_would_be(
    database_url: str, publish: Publish, event_id: UUID, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The broken variant keeps the epochs: the phone is let on from a position whose events are others."""

    async def overlook(*_arguments: object, **_more: object) -> int:
        return 0

    monkeypatch.setattr(queries, "renew_if_restored", overlook)
    with pytest.raises(AssertionError, match="True"):
        await test_a_restored_dump_sends_everybody_to_fetch(database_url, publish, event_id, tmp_path)
