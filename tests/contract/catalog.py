"""What a PostgreSQL database holds, as texts that can be compared."""

from __future__ import annotations

from typing import Any

RELATIONS = """
    SELECT relation.relkind::text || ' ' || relation.relname
    FROM pg_class AS relation
    WHERE relation.relnamespace = 'public'::regnamespace
    ORDER BY 1
"""

COLUMNS = """
    SELECT format('%s.%s %s%s%s', relation.relname, attribute.attname,
                  format_type(attribute.atttypid, attribute.atttypmod),
                  CASE WHEN attribute.attnotnull THEN ' not null' ELSE '' END,
                  COALESCE(' default ' || pg_get_expr(fallback.adbin, fallback.adrelid), ''))
    FROM pg_attribute AS attribute
    JOIN pg_class AS relation ON relation.oid = attribute.attrelid AND relation.relkind IN ('r', 'p')
    LEFT JOIN pg_attrdef AS fallback ON fallback.adrelid = relation.oid AND fallback.adnum = attribute.attnum
    WHERE relation.relnamespace = 'public'::regnamespace AND attribute.attnum > 0 AND NOT attribute.attisdropped
    ORDER BY 1
"""

# PostgreSQL 18 lists NOT NULL as constraints too; the columns above have them already.
CONSTRAINTS = """
    SELECT format('%s: %s %s', relation.relname, limiting.conname, pg_get_constraintdef(limiting.oid))
    FROM pg_constraint AS limiting
    JOIN pg_class AS relation ON relation.oid = limiting.conrelid
    WHERE relation.relnamespace = 'public'::regnamespace AND limiting.contype <> 'n'
    ORDER BY 1
"""

INDEXES = "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1"

ROUTINES = """
    SELECT 'routine ' || proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace
    UNION ALL
    SELECT 'trigger ' || tgname FROM pg_trigger WHERE NOT tgisinternal
    ORDER BY 1
"""

EXTENSIONS = "SELECT extname FROM pg_extension ORDER BY 1"

TABLES = "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"

# A row's xmin changes with every update, even with one that writes the same values.
ROWS = "SELECT xmin::text || ' ' || counted::text FROM {} AS counted ORDER BY 1"


async def structure(connection: Any) -> list[str]:
    """Everything that is not data."""
    return [
        line
        for query in (RELATIONS, COLUMNS, CONSTRAINTS, INDEXES, ROUTINES, EXTENSIONS)
        for (line,) in await connection.fetch(query)
    ]


async def rows(connection: Any) -> dict[str, list[str]]:
    """All rows of all tables, with the transaction that wrote each."""
    tables = [name for (name,) in await connection.fetch(TABLES)]
    return {name: [line for (line,) in await connection.fetch(ROWS.format(f'"{name}"'))] for name in tables}
