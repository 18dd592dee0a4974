-- name: look_place
-- Where we are, whether it takes writes, and the schemas of the path that have a ledger.
SELECT pg_catalog.current_database(),
       pg_catalog.current_schema(),
       pg_catalog.pg_is_in_recovery()
           OR pg_catalog.current_setting('transaction_read_only') OPERATOR(pg_catalog.=) 'on',
       pg_catalog.pg_backend_pid(),
       pg_catalog.current_setting('server_version'),
       pg_catalog.current_setting('standard_conforming_strings'),
       (SELECT pg_catalog.string_agg(pg_catalog.quote_ident(n.nspname), E'\n'
                   ORDER BY pg_catalog.array_position(pg_catalog.current_schemas(false), n.nspname))
          FROM pg_catalog.pg_class c
          JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
         WHERE c.relname OPERATOR(pg_catalog.=) {ledger_name}
           AND c.relkind OPERATOR(pg_catalog.=) ANY (ARRAY['r', 'p', 'v', 'f']::"char"[])
           AND n.nspname OPERATOR(pg_catalog.=) ANY (pg_catalog.current_schemas(false))),
       pg_catalog.quote_ident(pg_catalog.current_schema())

-- name: look_ledger
-- The ledger's rows; two are enough to see that there is more than one.
SELECT version, dirty FROM {ledger} LIMIT 2

-- name: look_history
-- Every attempt, oldest first, without the SQL texts.
SELECT id, attempt, version, name, direction, outcome, statements_total, statements_done,
       in_flight, extract(epoch FROM started), extract(epoch FROM finished),
       error, up_checksum, down_checksum, checksum_formula, tool, tool_version,
       database_user, host
  FROM {history} ORDER BY id

-- name: create_ledger
-- golang-migrate's table, byte for byte.
CREATE TABLE IF NOT EXISTS {ledger} (version bigint not null primary key, dirty boolean not null)

-- name: create_history
-- A row for each attempt whose end was seen, and for a file of several units from before its first.
CREATE TABLE IF NOT EXISTS {history} (
    id               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    attempt          uuid        NOT NULL,
    version          bigint,
    name             text        NOT NULL,
    direction        text        NOT NULL,
    outcome          text        NOT NULL,
    statements_total integer     NOT NULL,
    statements_done  integer     NOT NULL,
    in_flight        integer,
    started          timestamptz NOT NULL,
    finished         timestamptz,
    error            text,
    up_checksum      text,
    down_checksum    text,
    checksum_formula integer,
    up_sql           text,
    down_sql         text,
    tool             text        NOT NULL,
    tool_version     text        NOT NULL,
    database_user    text        NOT NULL,
    host             text        NOT NULL
)

-- name: lock_ledger
-- Keeps a second first row out; readers are not kept out.
LOCK TABLE {ledger} IN SHARE ROW EXCLUSIVE MODE

-- name: move_from_empty
-- The first row, or an error by 1/0 where the ledger is not empty.
WITH moved AS (
    INSERT INTO {ledger} (version, dirty)
    SELECT {version}, {dirty} WHERE NOT EXISTS (SELECT FROM {ledger})
    RETURNING 1
)
SELECT 1 OPERATOR(pg_catalog./) pg_catalog.count(*) FROM moved

-- name: move_row
-- From exactly the row that was planned for to the next, or an error by 1/0.
WITH moved AS (
    UPDATE {ledger} SET version = {version}, dirty = {dirty}
     WHERE version OPERATOR(pg_catalog.=) {from_version}
       AND dirty OPERATOR(pg_catalog.=) {from_dirty}
       AND (SELECT pg_catalog.count(*) FROM {ledger}) OPERATOR(pg_catalog.=) 1
    RETURNING 1
)
SELECT 1 OPERATOR(pg_catalog./) pg_catalog.count(*) FROM moved

-- name: move_to_empty
-- From exactly the row that was planned for to none, or an error by 1/0.
WITH moved AS (
    DELETE FROM {ledger}
     WHERE version OPERATOR(pg_catalog.=) {from_version}
       AND dirty OPERATOR(pg_catalog.=) {from_dirty}
       AND (SELECT pg_catalog.count(*) FROM {ledger}) OPERATOR(pg_catalog.=) 1
    RETURNING 1
)
SELECT 1 OPERATOR(pg_catalog./) pg_catalog.count(*) FROM moved

-- name: clear_ledger
-- Empties the ledger, whatever it holds.
DELETE FROM {ledger}

-- name: write_ledger
-- The one row of the ledger, after it was emptied.
INSERT INTO {ledger} (version, dirty) VALUES ({version}, {dirty})

-- name: touch_ledger
-- A write that changes nothing: its commit puts all commits before it on disk.
UPDATE {ledger} SET dirty = dirty

-- name: record_attempt
-- One row of the history; started is the transaction's beginning.
INSERT INTO {history} (attempt, version, name, direction, outcome, statements_total,
    statements_done, started, finished, error, up_checksum, down_checksum, checksum_formula,
    up_sql, down_sql, tool, tool_version, database_user, host)
VALUES ({attempt}, {version}, {name}, {direction}, {outcome}, {statements_total},
    {statements_done}, {started}, {finished}, {error}, {up_checksum}, {down_checksum}, {formula},
    {up_sql}, {down_sql}, {tool}, {tool_version}, {user}, {host})

-- name: record_in_flight
-- The statement that is about to be sent outside a transaction.
UPDATE {history} SET in_flight = {statement}
 WHERE attempt OPERATOR(pg_catalog.=) {attempt}

-- name: record_progress
-- How many statements of a file of several units are committed.
UPDATE {history} SET statements_done = {done}, in_flight = NULL
 WHERE attempt OPERATOR(pg_catalog.=) {attempt}

-- name: record_end
-- How a file of several units ended.
UPDATE {history} SET outcome = {outcome}, error = {error}, in_flight = NULL,
       finished = pg_catalog.clock_timestamp()
 WHERE attempt OPERATOR(pg_catalog.=) {attempt}

-- name: find_attempt
-- The outcome of one attempt, by our own id.
SELECT outcome FROM {history} WHERE attempt OPERATOR(pg_catalog.=) {attempt}

-- name: process_alive
-- Whether a server process that is older than this connection still runs.
SELECT pg_catalog.count(*)
  FROM pg_catalog.pg_stat_activity old, pg_catalog.pg_stat_activity me
 WHERE me.pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid()
   AND old.pid OPERATOR(pg_catalog.=) {pid}
   AND (old.backend_start IS NULL OR old.backend_start OPERATOR(pg_catalog.<) me.backend_start)

-- name: lock_holder
-- Who holds one of our keys, the longest connected first.
SELECT a.pid, a.usename, a.application_name, pg_catalog.host(a.client_addr),
       pg_catalog.to_char(a.backend_start, 'YYYY-MM-DD HH24:MI:SS TZ')
  FROM pg_catalog.pg_locks l
  JOIN pg_catalog.pg_stat_activity a ON a.pid OPERATOR(pg_catalog.=) l.pid
 WHERE l.locktype OPERATOR(pg_catalog.=) 'advisory'
   AND l.granted
   AND l.objsubid OPERATOR(pg_catalog.=) 1
   AND l.pid OPERATOR(pg_catalog.<>) pg_catalog.pg_backend_pid()
   AND l.database OPERATOR(pg_catalog.=) (
       SELECT oid FROM pg_catalog.pg_database
        WHERE datname OPERATOR(pg_catalog.=) pg_catalog.current_database())
   AND (l.classid::pg_catalog.int8 OPERATOR(pg_catalog.*) 4294967296
        OPERATOR(pg_catalog.+) l.objid::pg_catalog.int8)
       OPERATOR(pg_catalog.=) ANY (ARRAY[{keys}]::pg_catalog.int8[])
 ORDER BY a.backend_start NULLS LAST LIMIT 1

-- name: changed_settings
-- Settings that stand otherwise than they did at connect, and who we are now.
SELECT pg_catalog.string_agg(changed, ', ' ORDER BY changed)
  FROM (SELECT name FROM pg_catalog.pg_settings
         WHERE source OPERATOR(pg_catalog.=) 'session'
           AND name OPERATOR(pg_catalog.<>) ALL (ARRAY['transaction_isolation',
               'transaction_read_only', 'transaction_deferrable'])
        UNION ALL
        SELECT 'role' WHERE current_user OPERATOR(pg_catalog.<>) session_user
        UNION ALL
        SELECT 'session_authorization'
         WHERE session_user OPERATOR(pg_catalog.<>) {user}) AS found (changed)

-- name: estimate_rows
-- The planner's estimate of the rows in a table, and the columns it has; null where unknown.
SELECT CASE WHEN pg_catalog.pg_relation_size(c.oid) OPERATOR(pg_catalog.=) 0 THEN 0
            ELSE c.reltuples::pg_catalog.int8 END,
       c.oid::pg_catalog.regclass::pg_catalog.text
  FROM pg_catalog.pg_class c
 WHERE c.oid OPERATOR(pg_catalog.=) pg_catalog.to_regclass({table})

-- name: everything
-- Every object of the schema that no extension owns, tables first, with row estimates. To be run
-- with search_path = pg_catalog, so that types of arguments come qualified.
SELECT kind, described, estimate
  FROM (
    SELECT CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view'
                          WHEN 'S' THEN 'sequence' WHEN 'f' THEN 'foreign table'
                          WHEN 'c' THEN 'type' ELSE 'table' END AS kind,
           pg_catalog.format('%I.%I', n.nspname, c.relname) AS described,
           CASE WHEN c.relkind IN ('r', 'p', 'm') THEN c.reltuples::pg_catalog.int8 END AS estimate,
           c.oid, 'pg_class'::pg_catalog.regclass AS catalog
      FROM pg_catalog.pg_class c
      JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
     WHERE n.nspname OPERATOR(pg_catalog.=) {schema}
       AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f', 'c')
    UNION ALL
    SELECT CASE p.prokind WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate' ELSE 'function' END,
           pg_catalog.format('%I.%I(%s)', n.nspname, p.proname,
                             CASE WHEN p.prokind = 'a' AND p.pronargs = 0 THEN '*'
                                  ELSE pg_catalog.pg_get_function_identity_arguments(p.oid) END),
           NULL, p.oid, 'pg_proc'::pg_catalog.regclass
      FROM pg_catalog.pg_proc p
      JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) p.pronamespace
     WHERE n.nspname OPERATOR(pg_catalog.=) {schema}
    UNION ALL
    SELECT CASE t.typtype WHEN 'd' THEN 'domain' ELSE 'type' END,
           pg_catalog.format('%I.%I', n.nspname, t.typname), NULL, t.oid,
           'pg_type'::pg_catalog.regclass
      FROM pg_catalog.pg_type t
      JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) t.typnamespace
     WHERE n.nspname OPERATOR(pg_catalog.=) {schema} AND t.typtype IN ('d', 'e', 'r')
    UNION ALL
    SELECT 'collation', pg_catalog.format('%I.%I', n.nspname, o.collname), NULL, o.oid,
           'pg_collation'::pg_catalog.regclass
      FROM pg_catalog.pg_collation o
      JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) o.collnamespace
     WHERE n.nspname OPERATOR(pg_catalog.=) {schema}
  ) AS found
 WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                    WHERE d.classid OPERATOR(pg_catalog.=) found.catalog
                      AND d.objid OPERATOR(pg_catalog.=) found.oid
                      AND d.deptype IN ('e', 'i', 'a')
                      AND (d.deptype OPERATOR(pg_catalog.=) 'e'
                           OR found.kind OPERATOR(pg_catalog.=) 'function' AND d.deptype = 'i'
                           OR found.kind OPERATOR(pg_catalog.=) 'sequence'))
 ORDER BY kind OPERATOR(pg_catalog.<>) 'table', kind, described
