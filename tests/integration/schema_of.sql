-- A database's schema as sorted text, one row for each thing that somebody
-- could have made. The order of columns is left out on purpose: PostgreSQL
-- cannot put a column back where it was.
WITH
ours AS (
    SELECT oid, nspname FROM pg_catalog.pg_namespace
    WHERE nspname <> 'information_schema' AND nspname NOT LIKE 'pg\_%'
),
things (line) AS (
    SELECT format('schema %s %s', oid::regnamespace, nspacl)
    FROM pg_catalog.pg_namespace WHERE oid IN (SELECT oid FROM ours)

    UNION ALL
    SELECT format(
        'relation %s kind=%s persistence=%s owner=%s options=%s acl=%s rls=%s/%s identity=%s',
        oid::regclass, relkind, relpersistence, relowner::regrole, reloptions, relacl,
        relrowsecurity, relforcerowsecurity, relreplident
    )
    FROM pg_catalog.pg_class WHERE relnamespace IN (SELECT oid FROM ours)

    UNION ALL
    SELECT format(
        'column %s.%s %s notnull=%s default=%s identity=%s generated=%s collation=%s acl=%s',
        a.attrelid::regclass, a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod),
        a.attnotnull, pg_catalog.pg_get_expr(d.adbin, d.adrelid), a.attidentity,
        a.attgenerated, a.attcollation::regcollation, a.attacl
    )
    FROM pg_catalog.pg_attribute AS a
    JOIN pg_catalog.pg_class AS c ON c.oid = a.attrelid
    LEFT JOIN pg_catalog.pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE c.relnamespace IN (SELECT oid FROM ours) AND a.attnum > 0 AND NOT a.attisdropped
        AND c.relkind <> 'i'

    UNION ALL
    SELECT format(
        'constraint %s on %s valid=%s: %s',
        conname, conrelid::regclass, convalidated, pg_catalog.pg_get_constraintdef(oid)
    )
    FROM pg_catalog.pg_constraint WHERE connamespace IN (SELECT oid FROM ours)

    UNION ALL
    SELECT format(
        'index %s valid=%s clustered=%s',
        pg_catalog.pg_get_indexdef(i.indexrelid), i.indisvalid, i.indisclustered
    )
    FROM pg_catalog.pg_index AS i
    JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
    WHERE c.relnamespace IN (SELECT oid FROM ours)

    UNION ALL
    SELECT format(
        'sequence %s %s start=%s by=%s min=%s max=%s cycle=%s',
        seqrelid::regclass, seqtypid::regtype, seqstart, seqincrement, seqmin, seqmax, seqcycle
    )
    FROM pg_catalog.pg_sequence

    UNION ALL
    SELECT format('view %s: %s', oid::regclass, pg_catalog.pg_get_viewdef(oid))
    FROM pg_catalog.pg_class
    WHERE relkind IN ('v', 'm') AND relnamespace IN (SELECT oid FROM ours)

    UNION ALL
    SELECT format('trigger %s enabled=%s', pg_catalog.pg_get_triggerdef(oid), tgenabled)
    FROM pg_catalog.pg_trigger WHERE NOT tgisinternal

    UNION ALL
    SELECT format(
        'function %s returns %s acl=%s: %s',
        oid::regprocedure, prorettype::regtype, proacl, prosrc
    )
    FROM pg_catalog.pg_proc WHERE pronamespace IN (SELECT oid FROM ours)

    UNION ALL
    SELECT format(
        'type %s kind=%s base=%s labels=%s',
        t.oid::regtype, t.typtype, t.typbasetype::regtype,
        (
            SELECT string_agg(e.enumlabel, ',' ORDER BY e.enumsortorder)
            FROM pg_catalog.pg_enum AS e WHERE e.enumtypid = t.oid
        )
    )
    FROM pg_catalog.pg_type AS t WHERE t.typnamespace IN (SELECT oid FROM ours)

    UNION ALL
    SELECT format('policy %s on %s', polname, polrelid::regclass) FROM pg_catalog.pg_policy

    UNION ALL
    SELECT format('extension %s %s', extname, extversion) FROM pg_catalog.pg_extension

    -- Below 16384 are the objects that every server comes with.
    UNION ALL
    SELECT format(
        'comment on %s: %s',
        pg_catalog.pg_describe_object(classoid, objoid, objsubid), description
    )
    FROM pg_catalog.pg_description WHERE objoid >= 16384
)
SELECT coalesce(string_agg(line, E'\n' ORDER BY line COLLATE "C"), '') FROM things
