-- A database as sorted lines: what somebody could have made, but for Rung's own history.
-- Left out is what differs between major versions: default rights, not-null constraints.
WITH
places AS (
    SELECT oid, nspname FROM pg_catalog.pg_namespace
    WHERE nspname <> 'information_schema' AND nspname NOT LIKE 'pg\_%'
),
history AS (
    SELECT a.attrelid AS oid FROM pg_catalog.pg_attribute AS a
    WHERE a.attname = 'checksum_formula' AND NOT a.attisdropped
),
relations AS (
    SELECT c.*, format('%I.%I', p.nspname, c.relname) AS shown,
           CASE WHEN r.rolname = 'postgres' THEN '' ELSE ' owner ' || r.rolname END AS owned
    FROM pg_catalog.pg_class AS c
    JOIN places AS p ON p.oid = c.relnamespace
    JOIN pg_catalog.pg_roles AS r ON r.oid = c.relowner
    WHERE c.oid NOT IN (SELECT oid FROM history)
),
columns AS (
    SELECT a.attrelid, string_agg(
        concat_ws(
            ' ', a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod),
            CASE WHEN a.attnotnull THEN 'not null' END,
            'default ' || pg_catalog.pg_get_expr(d.adbin, d.adrelid),
            'identity ' || nullif(a.attidentity::text, '')
        ), ', ' ORDER BY a.attnum
    ) AS listed
    FROM pg_catalog.pg_attribute AS a
    LEFT JOIN pg_catalog.pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE a.attnum > 0 AND NOT a.attisdropped GROUP BY 1
),
things (line) AS (
    SELECT 'schema ' || nspname FROM places WHERE nspname <> 'public'

    UNION ALL
    SELECT format('%s %s (%s)%s', word, shown, listed, owned)
    FROM relations
    JOIN (VALUES ('r'::"char", 'table'), ('p', 'partitioned table'), ('f', 'foreign table'),
          ('v', 'view'), ('m', 'materialized view'), ('c', 'composite type')) AS w (kind, word)
      ON kind = relkind
    LEFT JOIN columns ON attrelid = oid

    UNION ALL
    SELECT format('text of %s: %s', shown, pg_catalog.pg_get_viewdef(oid))
    FROM relations WHERE relkind IN ('v', 'm')

    UNION ALL
    SELECT pg_catalog.pg_get_indexdef(i.indexrelid)
        || CASE WHEN i.indisvalid THEN '' ELSE ' INVALID' END
    FROM pg_catalog.pg_index AS i JOIN relations AS c ON c.oid = i.indrelid
    WHERE i.indexrelid IN (SELECT oid FROM relations)

    UNION ALL
    SELECT format('constraint on %s: %s', shown, pg_catalog.pg_get_constraintdef(k.oid))
    FROM pg_catalog.pg_constraint AS k JOIN relations AS c ON c.oid = k.conrelid
    WHERE k.contype <> 'n'

    UNION ALL
    SELECT format('sequence %s', shown) FROM relations
    WHERE relkind = 'S' AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_depend AS d
        JOIN history AS h ON h.oid = d.refobjid WHERE d.objid = relations.oid
    )

    UNION ALL
    SELECT format('%s on %s', pg_catalog.pg_get_triggerdef(t.oid), shown)
    FROM pg_catalog.pg_trigger AS t JOIN relations AS c ON c.oid = t.tgrelid
    WHERE NOT t.tgisinternal

    UNION ALL
    SELECT format('function %s: %s', f.oid::pg_catalog.regprocedure, prosrc)
    FROM pg_catalog.pg_proc AS f JOIN places AS p ON p.oid = f.pronamespace

    UNION ALL
    SELECT format('type %I.%I', p.nspname, t.typname)
    FROM pg_catalog.pg_type AS t JOIN places AS p ON p.oid = t.typnamespace
    WHERE t.typtype IN ('e', 'd')
)
SELECT
    (SELECT coalesce(array_agg(line ORDER BY line COLLATE "C"), '{}') FROM things),
    (SELECT coalesce(array_agg(shown ORDER BY shown COLLATE "C"), '{}') FROM relations
     WHERE relkind IN ('r', 'v') AND oid IN (
         SELECT attrelid FROM pg_catalog.pg_attribute WHERE attname = 'dirty'
         INTERSECT
         SELECT attrelid FROM pg_catalog.pg_attribute WHERE attname = 'version')),
    (SELECT coalesce(array_agg(shown ORDER BY shown COLLATE "C"), '{}') FROM relations
     WHERE relkind = 'r' AND oid NOT IN (
         SELECT attrelid FROM pg_catalog.pg_attribute WHERE attname = 'dirty'))
