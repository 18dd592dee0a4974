-- name: absent_names
-- The numbers of the names that the database does not have, of those that its files make.
SELECT w.number
  FROM (VALUES {wanted}) AS w (number, is_type, schema, name, attribute)
 WHERE NOT EXISTS (
       SELECT FROM pg_catalog.pg_namespace n
        WHERE CASE
              WHEN w.schema IS NOT NULL THEN n.nspname OPERATOR(pg_catalog.=) w.schema
              WHEN {anywhere} THEN
                   n.nspname OPERATOR(pg_catalog.<>)
                   ALL (ARRAY['pg_catalog', 'information_schema']::pg_catalog.name[])
              ELSE n.nspname OPERATOR(pg_catalog.=) {ledger_schema}
                   OR n.nspname OPERATOR(pg_catalog.=) ANY (pg_catalog.current_schemas(false))
              END
          AND CASE
              WHEN w.is_type THEN EXISTS (
                   SELECT FROM pg_catalog.pg_type t
                    WHERE t.typnamespace OPERATOR(pg_catalog.=) n.oid
                      AND t.typname OPERATOR(pg_catalog.=) w.name)
              ELSE EXISTS (
                   SELECT FROM pg_catalog.pg_class c
                    WHERE c.relnamespace OPERATOR(pg_catalog.=) n.oid
                      AND c.relname OPERATOR(pg_catalog.=) w.name
                      AND (w.attribute IS NULL OR EXISTS (
                           SELECT FROM pg_catalog.pg_attribute a
                            WHERE a.attrelid OPERATOR(pg_catalog.=) c.oid
                              AND a.attname OPERATOR(pg_catalog.=) w.attribute
                              AND a.attnum OPERATOR(pg_catalog.>) 0
                              AND NOT a.attisdropped)))
              END)
 ORDER BY w.number
