-- name: invalid_indexes
-- Every invalid index: its name, its table, its size, who builds it, if it is a leftover of
-- REINDEX, if it is of a partitioned table, its definition and the condition under which rows count
-- where it is unique, the columns of its key, and if it is the server's own. A row with a NULL in
-- its key is nobody's duplicate, but for NULLS NOT DISTINCT, which servers before 15 do not have.
SELECT pg_catalog.format('%I.%I', n.nspname, c.relname),
       pg_catalog.format('%I.%I', tn.nspname, t.relname),
       pg_catalog.pg_size_pretty(pg_catalog.pg_relation_size(c.oid)),
       {builder},
       c.relname OPERATOR(pg_catalog.~) '_cc(new|old)[0-9]*$',
       c.relkind OPERATOR(pg_catalog.=) 'I',
       CASE WHEN i.indisunique THEN pg_catalog.pg_get_indexdef(i.indexrelid) END,
       pg_catalog.concat_ws(' AND ',
           CASE WHEN i.indpred IS NOT NULL
                THEN pg_catalog.format('(%s)', pg_catalog.pg_get_expr(i.indpred, i.indrelid)) END,
           (SELECT pg_catalog.string_agg(pg_catalog.format('(%s) IS NOT NULL', k.part), ' AND '
                       ORDER BY k.number)
              FROM {key_parts} k
             WHERE k.nullable
               AND COALESCE(pg_catalog.jsonb_extract_path_text(pg_catalog.to_jsonb(i),
                       'indnullsnotdistinct') OPERATOR(pg_catalog.<>) 'true', true))),
       (SELECT pg_catalog.string_agg(k.part, ', ' ORDER BY k.number) FROM {key_parts} k),
       n.nspname OPERATOR(pg_catalog.=) ANY (ARRAY['pg_catalog', 'pg_toast']::pg_catalog.name[])
  FROM pg_catalog.pg_index i
  JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) i.indexrelid
  JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
  JOIN pg_catalog.pg_class t ON t.oid OPERATOR(pg_catalog.=) i.indrelid
  JOIN pg_catalog.pg_namespace tn ON tn.oid OPERATOR(pg_catalog.=) t.relnamespace
 WHERE NOT i.indisvalid
   AND NOT pg_catalog.pg_is_other_temp_schema(n.oid)
 ORDER BY 1

-- name: key_parts
-- A FROM item on a row of pg_index: the columns and expressions of its key, in order. A collation
-- by which different texts are equal is written with them; GROUP BY would go by the column's own.
(SELECT n AS number,
        COALESCE(a.attnotnull, false) IS NOT TRUE AS nullable,
        pg_catalog.concat(pg_catalog.pg_get_indexdef(i.indexrelid, n, false),
            (SELECT pg_catalog.format(' COLLATE %I.%I', ln.nspname, l.collname)
               FROM pg_catalog.pg_collation l
               JOIN pg_catalog.pg_namespace ln ON ln.oid OPERATOR(pg_catalog.=) l.collnamespace
              WHERE l.oid OPERATOR(pg_catalog.=)
                    i.indcollation[n OPERATOR(pg_catalog.-) 1]
                AND NOT l.collisdeterministic)) AS part
   FROM pg_catalog.generate_series(1, i.indnkeyatts) n
   LEFT JOIN pg_catalog.pg_attribute a
     ON a.attrelid OPERATOR(pg_catalog.=) i.indrelid
    AND a.attnum OPERATOR(pg_catalog.=) i.indkey[n OPERATOR(pg_catalog.-) 1]
    AND a.attnum OPERATOR(pg_catalog.<>) 0)

-- name: pending_detaches
-- Partitions whose detaching was begun and not finished: what each is a part of, and it.
SELECT pg_catalog.format('%I.%I', pn.nspname, p.relname),
       pg_catalog.format('%I.%I', cn.nspname, c.relname)
  FROM pg_catalog.pg_inherits i
  JOIN pg_catalog.pg_class p ON p.oid OPERATOR(pg_catalog.=) i.inhparent
  JOIN pg_catalog.pg_namespace pn ON pn.oid OPERATOR(pg_catalog.=) p.relnamespace
  JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) i.inhrelid
  JOIN pg_catalog.pg_namespace cn ON cn.oid OPERATOR(pg_catalog.=) c.relnamespace
 WHERE i.inhdetachpending
   {only}
 ORDER BY 2

-- name: lock_holders
-- Who else holds one of the ledger's keys: process, words, if it asks nothing, for how many seconds,
-- and if that is long.
SELECT DISTINCT a.pid,
       pg_catalog.concat('user ', a.usename, CASE WHEN a.application_name OPERATOR(pg_catalog.<>) ''
                              THEN pg_catalog.concat(', application ', a.application_name) END,
                         CASE WHEN a.client_addr IS NOT NULL
                              THEN pg_catalog.concat(', from ', pg_catalog.host(a.client_addr)) END),
       COALESCE(a.state OPERATOR(pg_catalog.~) '^idle', false),
       extract(epoch FROM pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) a.state_change)
           ::pg_catalog.int8,
       a.state_change OPERATOR(pg_catalog.<=)
           (pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) {idle})
  FROM pg_catalog.pg_locks l
  JOIN pg_catalog.pg_stat_activity a ON a.pid OPERATOR(pg_catalog.=) l.pid
 WHERE {held}
   AND l.pid OPERATOR(pg_catalog.<>) pg_catalog.pg_backend_pid()
 ORDER BY 1

-- name: old_prepared
-- Transactions of this database that were prepared long ago: identifier, owner, seconds.
SELECT gid, owner,
       extract(epoch FROM pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) prepared)
           ::pg_catalog.int8
  FROM pg_catalog.pg_prepared_xacts
 WHERE database OPERATOR(pg_catalog.=) pg_catalog.current_database()
   AND prepared OPERATOR(pg_catalog.<)
       (pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) {old})
 ORDER BY prepared

-- name: left_scratch
-- Databases that were made to try things on, and that nobody is connected to; and roles for files
-- to run as, whose databases are dropped already.
SELECT d.datname, pg_catalog.quote_ident(d.datname), 'DATABASE'
  FROM pg_catalog.pg_database d
 WHERE pg_catalog.starts_with(d.datname::pg_catalog.text, {prefix})
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_stat_activity a
                    WHERE a.datid OPERATOR(pg_catalog.=) d.oid)
UNION ALL
SELECT r.rolname, pg_catalog.quote_ident(r.rolname), 'ROLE'
  FROM pg_catalog.pg_roles r
 WHERE pg_catalog.starts_with(r.rolname::pg_catalog.text, {prefix})
   AND NOT r.rolsuper
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_database d
                    WHERE d.datdba OPERATOR(pg_catalog.=) r.oid)
 ORDER BY 3, 1

-- name: unvalidated
-- Constraints that hold for new rows only: name, quoted name, table.
SELECT c.conname, pg_catalog.quote_ident(c.conname),
       pg_catalog.format('%I.%I', n.nspname, t.relname)
  FROM pg_catalog.pg_constraint c
  JOIN pg_catalog.pg_class t ON t.oid OPERATOR(pg_catalog.=) c.conrelid
  JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) t.relnamespace
 WHERE NOT c.convalidated
   AND c.conparentid OPERATOR(pg_catalog.=) 0::pg_catalog.oid
 ORDER BY 3, 1
