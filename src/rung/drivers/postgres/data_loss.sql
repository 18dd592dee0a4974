-- What a statement would take away, counted. Nothing here waits for long, or reads without end.

-- name: lost_relation
-- What a name stands for: its oid, its kind, its qualified name, and where a column was asked for
-- the number and the name of that.
SELECT c.oid, c.relkind, pg_catalog.format('%I.%I', n.nspname, c.relname),
       a.attnum, pg_catalog.quote_ident(a.attname)
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
  LEFT JOIN pg_catalog.pg_attribute a
    ON a.attrelid OPERATOR(pg_catalog.=) c.oid
   AND a.attname::pg_catalog.text OPERATOR(pg_catalog.=)
       (pg_catalog.parse_ident({column}, false))[1]
   AND a.attnum OPERATOR(pg_catalog.>) 0 AND NOT a.attisdropped
 WHERE c.oid OPERATOR(pg_catalog.=) pg_catalog.to_regclass({table})

-- name: lost_schema
-- The oid of a schema.
SELECT n.oid, pg_catalog.quote_ident(n.nspname) FROM pg_catalog.pg_namespace n
 WHERE n.oid OPERATOR(pg_catalog.=) pg_catalog.to_regnamespace({schema})

-- name: first_rows
-- How many rows there are, up to one more than are counted; children and partitions too.
SELECT pg_catalog.count(*) FROM (SELECT FROM {table} {condition} LIMIT {bound}) AS first

-- name: taken_along
-- What a DROP … CASCADE of one object takes along: tables, views and columns, and foreign keys of
-- tables that stay. A view hangs on what its rule reads.
WITH RECURSIVE gone (classid, objid, objsubid) AS (
    SELECT {catalog}::pg_catalog.regclass::pg_catalog.oid, {oid}::pg_catalog.oid,
           {column}::pg_catalog.int4
    UNION
    SELECT more.classid, more.objid, more.objsubid
      FROM gone g, LATERAL (
          SELECT d.classid, d.objid, d.objsubid FROM pg_catalog.pg_depend d
           WHERE d.refclassid OPERATOR(pg_catalog.=) g.classid
             AND d.refobjid OPERATOR(pg_catalog.=) g.objid
             AND (g.objsubid OPERATOR(pg_catalog.=) 0
                  OR d.refobjsubid OPERATOR(pg_catalog.=) g.objsubid)
             AND d.deptype OPERATOR(pg_catalog.=) ANY
                 (ARRAY['n', 'a', 'i', 'P', 'S']::pg_catalog."char"[])
           UNION ALL
          SELECT 'pg_catalog.pg_class'::pg_catalog.regclass::pg_catalog.oid, r.ev_class, 0
            FROM pg_catalog.pg_rewrite r
           WHERE g.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_rewrite'::pg_catalog.regclass
             AND r.oid OPERATOR(pg_catalog.=) g.objid) AS more
)
SELECT DISTINCT CASE WHEN c.relkind OPERATOR(pg_catalog.=) 'v' THEN 'view'
                     WHEN c.relkind OPERATOR(pg_catalog.=) 'm' THEN 'materialized view'
                     WHEN c.relkind OPERATOR(pg_catalog.=) 'f' THEN 'foreign table' ELSE 'table' END,
       pg_catalog.format('%I.%I', n.nspname, c.relname), ''
  FROM gone g
  JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) g.objid
  JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
 WHERE g.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass
   AND g.objsubid OPERATOR(pg_catalog.=) 0
   AND c.relkind OPERATOR(pg_catalog.=) ANY (ARRAY['r', 'p', 'v', 'm', 'f']::pg_catalog."char"[])
   AND n.nspname OPERATOR(pg_catalog.!~) '^pg_toast'
   AND NOT (g.objid OPERATOR(pg_catalog.=) {oid}::pg_catalog.oid)
UNION
SELECT 'column', pg_catalog.format('%I.%I', n.nspname, c.relname), pg_catalog.quote_ident(a.attname)
  FROM gone g
  JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) g.objid
  JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
  JOIN pg_catalog.pg_attribute a ON a.attrelid OPERATOR(pg_catalog.=) c.oid
                                AND a.attnum OPERATOR(pg_catalog.=) g.objsubid
 WHERE g.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass
   AND c.relkind OPERATOR(pg_catalog.=) ANY (ARRAY['r', 'p']::pg_catalog."char"[])
   AND NOT (g.objid OPERATOR(pg_catalog.=) {oid}::pg_catalog.oid)
   AND NOT EXISTS (SELECT FROM gone o WHERE o.classid OPERATOR(pg_catalog.=) g.classid
                      AND o.objid OPERATOR(pg_catalog.=) g.objid
                      AND o.objsubid OPERATOR(pg_catalog.=) 0)
UNION
SELECT 'foreign key', pg_catalog.format('%I on %I.%I', k.conname, n.nspname, c.relname), ''
  FROM gone g
  JOIN pg_catalog.pg_constraint k ON k.oid OPERATOR(pg_catalog.=) g.objid
  JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) k.conrelid
  JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
 WHERE g.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_constraint'::pg_catalog.regclass
   AND k.contype OPERATOR(pg_catalog.=) 'f'
   AND NOT EXISTS (SELECT FROM gone o
                    WHERE o.classid OPERATOR(pg_catalog.=)
                          'pg_catalog.pg_class'::pg_catalog.regclass
                      AND o.objid OPERATOR(pg_catalog.=) k.conrelid
                      AND o.objsubid OPERATOR(pg_catalog.=) 0)
 ORDER BY 1, 2, 3

-- name: referencing
-- The tables whose rows go with rows of one, or lose a value: by ON DELETE CASCADE, SET NULL and
-- SET DEFAULT; for a TRUNCATE … CASCADE by any foreign key.
WITH RECURSIVE hit (oid, by) AS (
    SELECT {oid}::pg_catalog.oid, 'c'::pg_catalog."char"
    UNION
    SELECT k.conrelid, k.confdeltype
      FROM hit JOIN pg_catalog.pg_constraint k ON k.confrelid OPERATOR(pg_catalog.=) hit.oid
     WHERE k.contype OPERATOR(pg_catalog.=) 'f'
       AND ({all} OR hit.by OPERATOR(pg_catalog.=) 'c'
            AND k.confdeltype OPERATOR(pg_catalog.=) ANY
                (ARRAY['c', 'n', 'd']::pg_catalog."char"[]))
)
SELECT CASE WHEN {all} OR pg_catalog.bool_or(hit.by OPERATOR(pg_catalog.=) 'c')
            THEN 'rows of table' ELSE 'values in table' END,
       pg_catalog.format('%I.%I', n.nspname, c.relname), ''
  FROM hit
  JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) hit.oid
  JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
 WHERE hit.oid OPERATOR(pg_catalog.<>) {oid}::pg_catalog.oid
 GROUP BY n.nspname, c.relname
 ORDER BY 2
