-- name: index_built
-- Whether an index of that name stands on that table, and is valid.
SELECT COALESCE(pg_catalog.bool_or(i.indisvalid), false)
  FROM pg_catalog.pg_class t
  JOIN pg_catalog.pg_index i ON i.indrelid OPERATOR(pg_catalog.=) t.oid
  JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) i.indexrelid
 WHERE t.oid OPERATOR(pg_catalog.=) pg_catalog.to_regclass({table})
   AND c.relname OPERATOR(pg_catalog.=) (pg_catalog.parse_ident({name}))[1]::pg_catalog.name

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
    SELECT FROM pg_catalog.pg_database
     WHERE datname OPERATOR(pg_catalog.=) (pg_catalog.parse_ident({name}))[1]::pg_catalog.name)

-- name: tablespace_there
-- Whether there is a tablespace of that name.
SELECT EXISTS (
    SELECT FROM pg_catalog.pg_tablespace
     WHERE spcname OPERATOR(pg_catalog.=) (pg_catalog.parse_ident({name}))[1]::pg_catalog.name)

-- name: subscription_there
-- Whether this database has a subscription of that name.
SELECT EXISTS (
    SELECT FROM pg_catalog.pg_subscription s
      JOIN pg_catalog.pg_database d ON d.oid OPERATOR(pg_catalog.=) s.subdbid
     WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()
       AND s.subname OPERATOR(pg_catalog.=) (pg_catalog.parse_ident({name}))[1]::pg_catalog.name)

-- name: prepared_there
-- Whether a transaction is prepared under that identifier.
SELECT EXISTS (
    SELECT FROM pg_catalog.pg_prepared_xacts WHERE gid OPERATOR(pg_catalog.=) {name})
