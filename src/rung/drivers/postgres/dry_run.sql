-- What a dry run on the live database asks. Run with search_path = pg_catalog, pg_temp.

-- name: relations_there
-- Every relation and each column of a table, with whether all that the catalog says of it was
-- written since the ledger was marked dirty. Columns of the system are written with their table
-- and never again: a table of which one is older is older, whatever was altered since. Where the
-- ledger's own entry in the catalog is younger than its row, transactions are not in order (the
-- cluster was upgraded), and nothing is known.
WITH mark AS (
    SELECT max(age(l.xmin)) AS age FROM {ledger} l
     WHERE age(l.xmin) > 0
       AND (SELECT min(age(c.xmin)) FROM pg_class c WHERE c.oid = {name}::regclass) >= age(l.xmin)
),
rel AS (
    SELECT c.oid, c.relkind, c.xmin, format('%I.%I', n.nspname, c.relname) AS name
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
       AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S', 'i', 'I')
)
SELECT rel.oid, 0, CASE rel.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view'
                                    WHEN 'f' THEN 'foreign table' WHEN 'S' THEN 'sequence'
                                    WHEN 'i' THEN 'index' WHEN 'I' THEN 'index'
                                    ELSE 'table' END,
       rel.name, '',
       coalesce(age(rel.xmin) >= 0 AND age(rel.xmin) < (SELECT age FROM mark)
           AND NOT EXISTS (SELECT FROM pg_attribute a
                            WHERE a.attrelid = rel.oid
                              AND NOT (age(a.xmin) >= 0
                                       AND age(a.xmin) < (SELECT age FROM mark))), false)
  FROM rel
UNION ALL
SELECT rel.oid, a.attnum, 'column', rel.name, quote_ident(a.attname),
       coalesce(age(a.xmin) >= 0 AND age(a.xmin) < (SELECT age FROM mark), false)
  FROM rel JOIN pg_attribute a ON a.attrelid = rel.oid
 WHERE rel.relkind IN ('r', 'p', 'f', 'v', 'm') AND a.attnum > 0 AND NOT a.attisdropped

-- name: strange_event_triggers
-- Event triggers that run something other than SQL, PL/pgSQL or what the server brings with it.
SELECT string_agg(quote_ident(e.evtname), ', ')
  FROM pg_event_trigger e JOIN pg_proc p ON p.oid = e.evtfoid JOIN pg_language l ON l.oid = p.prolang
 WHERE e.evtenabled <> 'D' AND l.lanname NOT IN ('sql', 'plpgsql') AND p.oid >= 16384

-- name: bytes_of
-- How large the tables behind some names are together, with children and indexes. Here names are
-- looked up as the file's are, so that everything else is qualified.
WITH RECURSIVE family (oid) AS (
    SELECT pg_catalog.to_regclass(listed.name)::pg_catalog.oid
      FROM pg_catalog.unnest(ARRAY[{names}]::pg_catalog.text[]) AS listed (name)
    UNION
    SELECT i.inhrelid FROM family f
      JOIN pg_catalog.pg_inherits i ON i.inhparent OPERATOR(pg_catalog.=) f.oid
)
SELECT coalesce(pg_catalog.sum(pg_catalog.pg_total_relation_size(f.oid)), 0)::pg_catalog.int8
  FROM family f WHERE f.oid IS NOT NULL

-- name: row_guard
-- Fails, with a text that says why, where a table holds other rows than were counted.
SELECT CASE WHEN pg_catalog.count(*) OPERATOR(pg_catalog.=) {rows} THEN '0'
            ELSE {what} END::pg_catalog.int4
  FROM (SELECT FROM {table}{condition}) AS now
