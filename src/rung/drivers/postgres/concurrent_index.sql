-- name: index_built
-- Whether an index of that name stands on that table, is valid, and is no older one.
SELECT COALESCE(pg_catalog.bool_or(i.indisvalid AND {since}), false)
  FROM pg_catalog.pg_class t
  JOIN pg_catalog.pg_index i ON i.indrelid OPERATOR(pg_catalog.=) t.oid
  JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) i.indexrelid
 WHERE t.oid OPERATOR(pg_catalog.=) pg_catalog.to_regclass({table})
   AND c.relname OPERATOR(pg_catalog.=) (pg_catalog.parse_ident({name}))[1]::pg_catalog.name

-- name: made_since
-- Whether a row `c` of a catalog was written behind the dirty mark: what stood there before
-- the file began has its name only. Transactions are numbered in the order they first write.
(pg_catalog.age(c.xmin) OPERATOR(pg_catalog.<)
    (SELECT pg_catalog.max(pg_catalog.age(l.xmin)) FROM {ledger} l))

-- name: made_whenever
-- The same for what has to be gone, whoever made it.
true

-- name: written_behind
-- Whether the ledger was written behind a row of the history, by somebody who wrote none.
SELECT pg_catalog.bool_or(pg_catalog.age(l.xmin) OPERATOR(pg_catalog.<) pg_catalog.age(h.xmin)
       AND NOT EXISTS (SELECT FROM {history} o
                        WHERE o.id OPERATOR(pg_catalog.>) h.id
                          AND o.xmin OPERATOR(pg_catalog.=) l.xmin))
  FROM {ledger} l
  JOIN {history} h ON h.id OPERATOR(pg_catalog.=) {id}

-- name: relation_gone
-- Whether there is no relation of that name on the search path, or in its schema.
SELECT pg_catalog.to_regclass({name}) IS NULL

-- name: partition_detached
-- Whether a table is no partition of another, not even one that is being detached.
SELECT NOT EXISTS (
    SELECT FROM pg_catalog.pg_inherits
     WHERE inhrelid OPERATOR(pg_catalog.=) pg_catalog.to_regclass({name})
       AND inhparent OPERATOR(pg_catalog.=) pg_catalog.to_regclass({table}))

-- name: database_there
-- Whether there is a database of that name.
SELECT EXISTS (
    SELECT FROM pg_catalog.pg_database c
     WHERE c.datname OPERATOR(pg_catalog.=) (pg_catalog.parse_ident({name}))[1]::pg_catalog.name
       AND {since})

-- name: tablespace_there
-- Whether there is a tablespace of that name.
SELECT EXISTS (
    SELECT FROM pg_catalog.pg_tablespace c
     WHERE c.spcname OPERATOR(pg_catalog.=) (pg_catalog.parse_ident({name}))[1]::pg_catalog.name
       AND {since})

-- name: subscription_there
-- Whether this database has a subscription of that name.
SELECT EXISTS (
    SELECT FROM pg_catalog.pg_subscription c
      JOIN pg_catalog.pg_database d ON d.oid OPERATOR(pg_catalog.=) c.subdbid
     WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()
       AND c.subname OPERATOR(pg_catalog.=) (pg_catalog.parse_ident({name}))[1]::pg_catalog.name
       AND {since})

-- name: prepared_there
-- Whether a transaction is prepared under that identifier.
SELECT EXISTS (
    SELECT FROM pg_catalog.pg_prepared_xacts WHERE gid OPERATOR(pg_catalog.=) {name})

-- name: invalid_index
-- An invalid index of that name on that table, and who is building it.
SELECT pg_catalog.format('%I.%I', n.nspname, c.relname), {builder}
  FROM pg_catalog.pg_index i
  JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) i.indexrelid
  JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
 WHERE i.indrelid OPERATOR(pg_catalog.=) pg_catalog.to_regclass({table})
   AND c.relname OPERATOR(pg_catalog.=) (pg_catalog.parse_ident({name}))[1]::pg_catalog.name
   AND c.relkind OPERATOR(pg_catalog.=) 'i'
   AND NOT i.indisvalid

-- name: invalid_twins
-- The invalid indexes of a table that has a valid one of the same definition but for the name.
SELECT pg_catalog.format('%I.%I', n.nspname, c.relname), {builder}
  FROM pg_catalog.pg_index i
  JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) i.indexrelid
  JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
  JOIN pg_catalog.pg_index twin ON twin.indrelid OPERATOR(pg_catalog.=) i.indrelid
  JOIN pg_catalog.pg_class named ON named.oid OPERATOR(pg_catalog.=) twin.indexrelid
 WHERE i.indrelid OPERATOR(pg_catalog.=) pg_catalog.to_regclass({table})
   AND c.relkind OPERATOR(pg_catalog.=) 'i'
   AND NOT i.indisvalid
   AND twin.indisvalid
   AND pg_catalog.replace(pg_catalog.pg_get_indexdef(i.indexrelid),
           pg_catalog.format(' INDEX %I ON ', c.relname), ' ')
       OPERATOR(pg_catalog.=)
       pg_catalog.replace(pg_catalog.pg_get_indexdef(twin.indexrelid),
           pg_catalog.format(' INDEX %I ON ', named.relname), ' ')

-- name: reindex_leftovers
-- What failed builds of REINDEX CONCURRENTLY left where this one is about to work.
SELECT pg_catalog.format('%I.%I', n.nspname, c.relname), {builder}
  FROM pg_catalog.pg_index i
  JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) i.indexrelid
  JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
 WHERE c.relkind OPERATOR(pg_catalog.=) 'i'
   AND NOT i.indisvalid
   AND c.relname OPERATOR(pg_catalog.~) '_cc(new|old)[0-9]*$'
   AND CASE
       WHEN {kind} OPERATOR(pg_catalog.=) 'TABLE'
       THEN i.indrelid OPERATOR(pg_catalog.=) pg_catalog.to_regclass({name})
       WHEN {kind} OPERATOR(pg_catalog.=) 'INDEX' THEN i.indrelid OPERATOR(pg_catalog.=) (
           SELECT indrelid FROM pg_catalog.pg_index
            WHERE indexrelid OPERATOR(pg_catalog.=) pg_catalog.to_regclass({name}))
       WHEN {kind} OPERATOR(pg_catalog.=) 'SCHEMA' THEN n.nspname
           OPERATOR(pg_catalog.=) (pg_catalog.parse_ident({name}))[1]::pg_catalog.name
       ELSE n.nspname OPERATOR(pg_catalog.<>) 'pg_toast' END

-- name: index_builder
-- Who is building an index, in words; null for nobody. What another's rights hide is told by
-- the lock that a build holds on its table.
(SELECT pg_catalog.concat('process ', a.pid,
                          CASE WHEN a.usename IS NOT NULL
                               THEN pg_catalog.concat(', user ', a.usename) END,
                          CASE WHEN a.application_name OPERATOR(pg_catalog.<>) ''
                               THEN pg_catalog.concat(', application ', a.application_name) END)
   FROM pg_catalog.pg_stat_progress_create_index p
   JOIN pg_catalog.pg_stat_activity a ON a.pid OPERATOR(pg_catalog.=) p.pid
  WHERE p.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()
    AND p.pid OPERATOR(pg_catalog.<>) pg_catalog.pg_backend_pid()
    AND (p.index_relid OPERATOR(pg_catalog.=) i.indexrelid
         OR COALESCE(p.index_relid, 0::pg_catalog.oid) OPERATOR(pg_catalog.=) 0::pg_catalog.oid
            AND EXISTS (SELECT FROM pg_catalog.pg_locks l
                         WHERE l.pid OPERATOR(pg_catalog.=) p.pid
                           AND l.relation OPERATOR(pg_catalog.=) i.indrelid
                           AND l.mode OPERATOR(pg_catalog.=) 'ShareUpdateExclusiveLock'))
  LIMIT 1)

-- name: of_that_detaching
-- A condition of `pending_detaches`: that partition of that table.
AND i.inhparent OPERATOR(pg_catalog.=) pg_catalog.to_regclass({table})
   AND i.inhrelid OPERATOR(pg_catalog.=) pg_catalog.to_regclass({name})

-- name: left_nothing
-- Whether no row of these catalogs was written behind the note that a statement of an attempt was
-- under way, whoever wrote it; no row where there is no such note.
SELECT NOT EXISTS (
    SELECT FROM (SELECT xmin AS made FROM pg_catalog.pg_class
                 UNION ALL SELECT xmin FROM pg_catalog.pg_index
                 UNION ALL SELECT xmin FROM pg_catalog.pg_inherits
                 UNION ALL SELECT xmin FROM pg_catalog.pg_constraint
                 UNION ALL SELECT xmin FROM pg_catalog.pg_database
                 UNION ALL SELECT xmin FROM pg_catalog.pg_tablespace) c
     WHERE pg_catalog.age(c.made) OPERATOR(pg_catalog.<) pg_catalog.age(h.xmin))
  FROM {history} h
 WHERE h.attempt OPERATOR(pg_catalog.=) {attempt} AND h.in_flight IS NOT NULL
