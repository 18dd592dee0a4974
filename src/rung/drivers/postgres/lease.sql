-- name: create_lease
-- The lease behind a pooler: one row, of the run that may go on.
CREATE TABLE IF NOT EXISTS {lease} (
    one           pg_catalog.bool        PRIMARY KEY CHECK (one),
    owner         pg_catalog.uuid,
    taken         pg_catalog.timestamptz,
    heartbeat     pg_catalog.timestamptz,
    expires       pg_catalog.timestamptz,
    process       integer,
    host          pg_catalog.text,
    database_user pg_catalog.text,
    tool          pg_catalog.text
)

-- name: fill_lease
-- Its row, where it is missing.
INSERT INTO {lease} (one) SELECT true WHERE NOT EXISTS (SELECT FROM {lease})

-- name: grant_lease
-- The lease for who writes the ledger.
GRANT SELECT, UPDATE ON TABLE {lease} TO {writers}

-- name: try_keys
-- An error by 1/0 where a key is held by another; else they are ours to the transaction's end.
SELECT 1 OPERATOR(pg_catalog./) CASE WHEN {keys} THEN 1 ELSE 0 END

-- name: take_lease
-- Takes the lease where it is free or expired and no key is held; tells of keys, lease and row.
WITH keys AS MATERIALIZED (SELECT {keys} AS had),
free AS MATERIALIZED (
    SELECT one FROM {lease}
     WHERE (SELECT had FROM keys)
       AND (owner IS NULL OR {stale})
       AND (SELECT pg_catalog.count(*) FROM {lease}) OPERATOR(pg_catalog.=) 1
       FOR UPDATE SKIP LOCKED
),
taken AS (
    UPDATE {lease} lease
       SET owner = {owner}, taken = pg_catalog.clock_timestamp(),
           heartbeat = pg_catalog.clock_timestamp(),
           expires = pg_catalog.clock_timestamp() OPERATOR(pg_catalog.+) {ttl},
           process = {process}, host = {host}, database_user = session_user, tool = {tool}
      FROM free
     WHERE lease.one OPERATOR(pg_catalog.=) free.one
    RETURNING 1
)
SELECT (SELECT had FROM keys), (SELECT pg_catalog.count(*) FROM taken),
       (SELECT pg_catalog.count(*) FROM {lease})

-- name: beat
-- A sign of life of the owner.
UPDATE {lease}
   SET heartbeat = pg_catalog.clock_timestamp(),
       expires = pg_catalog.clock_timestamp() OPERATOR(pg_catalog.+) {ttl}
 WHERE owner OPERATOR(pg_catalog.=) {owner}

-- name: check_lease
-- An error by 1/0 where the lease is another's; else nobody takes it in this transaction.
SELECT 1 OPERATOR(pg_catalog./) pg_catalog.count(*)
  FROM (SELECT FROM {lease} WHERE owner OPERATOR(pg_catalog.=) {owner} FOR KEY SHARE) mine

-- name: give_lease_back
-- The lease free again, where it is still the owner's.
UPDATE {lease} SET owner = NULL WHERE owner OPERATOR(pg_catalog.=) {owner}

-- name: lease_in_use
-- Whether a transaction of the owner still runs: it keeps the row from being locked.
SELECT (SELECT pg_catalog.count(*) FROM {lease} WHERE owner OPERATOR(pg_catalog.=) {owner})
       OPERATOR(pg_catalog.>)
       (SELECT pg_catalog.count(*)
          FROM (SELECT FROM {lease} WHERE owner OPERATOR(pg_catalog.=) {owner}
                   FOR UPDATE SKIP LOCKED) idle)

-- name: lease_is_there
-- Whether there is a lease beside the ledger.
SELECT EXISTS (
    SELECT FROM pg_catalog.pg_class c
      JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
     WHERE n.nspname OPERATOR(pg_catalog.=) {schema} AND c.relname OPERATOR(pg_catalog.=) {name})

-- name: lease_is_held
-- A condition: somebody holds the lease and gave a sign of life.
EXISTS (SELECT FROM {lease}
         WHERE owner IS NOT NULL AND NOT {stale})

-- name: lease_state
-- The lease as it stands: held, or held by one that gave no sign of life for too long, or free.
SELECT CASE WHEN owner IS NULL THEN 'free'
            WHEN {stale} THEN 'expired'
            ELSE 'held' END
  FROM {lease}

-- name: break_lease
-- The lease free again, where its owner gave no sign of life for too long.
UPDATE {lease} SET owner = NULL
 WHERE owner IS NOT NULL AND {stale}

-- name: lease_is_stale
-- A condition: no run that is alive keeps the lease. Its time is over; or it is none that a run
-- gives it, which is at most its whole time from now: never, infinity, or far ahead.
(expires IS NULL
 OR expires OPERATOR(pg_catalog.<) pg_catalog.clock_timestamp()
 OR expires OPERATOR(pg_catalog.>)
    (pg_catalog.clock_timestamp() OPERATOR(pg_catalog.+) {longest}))

-- name: lease_occupant
-- Whose the lease is, dead or alive: its owner's id, whether it is stale, and until when it is.
SELECT process, database_user, tool, host,
       pg_catalog.to_char(taken, 'YYYY-MM-DD HH24:MI:SS TZ'),
       extract(epoch FROM pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) heartbeat),
       owner, {stale}, COALESCE(expires::pg_catalog.text, 'never')
  FROM {lease}
 WHERE owner IS NOT NULL

-- name: break_lease_of
-- The lease free again, where it is still this owner's; only under the keys.
UPDATE {lease} SET owner = NULL WHERE owner OPERATOR(pg_catalog.=) {owner}
RETURNING 1

-- name: lease_holder
-- Who holds the lease, and the seconds since its last sign of life.
SELECT process, database_user, tool, host,
       pg_catalog.to_char(taken, 'YYYY-MM-DD HH24:MI:SS TZ'),
       extract(epoch FROM pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) heartbeat)
  FROM {lease}
 WHERE owner IS NOT NULL AND NOT {stale}
