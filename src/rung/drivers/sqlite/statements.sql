-- name: find_table
-- The name of a table or view as the database has it, whatever its letter case.
SELECT name FROM main.sqlite_master WHERE type IN ('table', 'view') AND name = ? COLLATE NOCASE

-- name: tables
-- The tables that are not SQLite's own.
SELECT name FROM main.sqlite_master
 WHERE type = 'table' AND name NOT LIKE 'sqlite\_%' ESCAPE '\' ORDER BY name

-- name: names
-- Every object's name, and every column of each table that is not virtual.
SELECT name, '' FROM main.sqlite_master WHERE name IS NOT NULL
 UNION ALL
SELECT m.name, c.name FROM main.sqlite_master m, pragma_table_xinfo(m.name, 'main') c
 WHERE m.type = 'table' AND m.sql NOT LIKE 'CREATE VIRTUAL TABLE%'

-- name: other_ledgers
-- The tables that have a ledger's two columns and no more.
SELECT m.name FROM main.sqlite_master m
 WHERE m.type = 'table'
   AND (SELECT group_concat(c.name) FROM (
            SELECT lower(name) AS name FROM pragma_table_info(m.name, 'main') ORDER BY 1) c
       ) = 'dirty,version'
 ORDER BY 1 LIMIT 5

-- name: look_ledger
-- The ledger's rows with what they are; more than one is enough to see that there are several.
SELECT version, typeof(version), dirty, typeof(dirty) FROM {ledger} LIMIT 3

-- name: look_history
-- Every attempt, oldest first, without the SQL texts.
SELECT id, attempt, version, name, direction, outcome, statements_total, statements_done,
       in_flight, started, finished, error, up_checksum, down_checksum, checksum_formula,
       up_digest, down_digest, tool, tool_version, database_user, host
  FROM {history} ORDER BY id

-- name: look_current_history
-- The same without the rows of a version before its last attempt that ended well. Rows of `force` and
-- `baseline`, which concern other versions too, and whatever is unrecognized stay.
SELECT id, attempt, version, name, direction, outcome, statements_total, statements_done,
       in_flight, started, finished, error, up_checksum, down_checksum, checksum_formula,
       up_digest, down_digest, tool, tool_version, database_user, host
  FROM (SELECT *, max(id) FILTER (
                   WHERE outcome = 'done'
                     AND direction IN ('up', 'down', 'mark-applied', 'mark-not-applied')
               ) OVER (PARTITION BY version) AS decided
          FROM {history})
 WHERE version IS NULL OR decided IS NULL OR id >= decided
    OR outcome NOT IN ('running', 'done', 'failed')
    OR direction NOT IN ('up', 'down', 'edit', 'mark-applied', 'mark-not-applied')
 ORDER BY id

-- name: create_ledger
-- golang-migrate's table, byte for byte.
CREATE TABLE IF NOT EXISTS {ledger} (version uint64,dirty bool)

-- name: create_index
-- golang-migrate's index; its name is fixed, so that a second ledger in one file has none.
CREATE UNIQUE INDEX IF NOT EXISTS version_unique ON {ledger} (version)

-- name: create_history
-- A row for each attempt whose end was seen, and for a file of several units from before its first.
CREATE TABLE IF NOT EXISTS {history} (
    id               integer PRIMARY KEY,
    attempt          text    NOT NULL,
    version          integer,
    name             text    NOT NULL,
    direction        text    NOT NULL,
    outcome          text    NOT NULL,
    statements_total integer NOT NULL,
    statements_done  integer NOT NULL,
    in_flight        integer,
    started          text    NOT NULL,
    finished         text,
    error            text,
    up_checksum      text,
    down_checksum    text,
    checksum_formula integer,
    up_digest        text,
    down_digest      text,
    up_sql           text,
    down_sql         text,
    tool             text    NOT NULL,
    tool_version     text    NOT NULL,
    database_user    text    NOT NULL,
    host             text    NOT NULL
)

-- name: clear_ledger
-- Empties the ledger, whatever it holds.
DELETE FROM {ledger}

-- name: write_ledger
-- The one row of the ledger, after it was emptied.
INSERT INTO {ledger} (version, dirty) VALUES (?, ?)

-- name: still_there
-- An error where a unit of the file has dropped the ledger.
SELECT 1 FROM {ledger} LIMIT 0

-- name: has_history
-- A row where the history holds any.
SELECT 1 FROM {history} LIMIT 1

-- name: record_attempt
-- One row of the history.
INSERT INTO {history} (attempt, version, name, direction, outcome, statements_total,
    statements_done, started, finished, error, up_checksum, down_checksum, checksum_formula,
    up_digest, down_digest, up_sql, down_sql, tool, tool_version, database_user, host)
VALUES (:attempt, :version, :name, :direction, :outcome, :statements_total,
    :statements_done, :started, :finished, :error, :up_checksum, :down_checksum, :formula,
    :up_digest, :down_digest, :up_sql, :down_sql, :tool, :tool_version, :user, :host)

-- name: record_in_flight
-- The statement that is about to run outside a transaction.
UPDATE {history} SET in_flight = :statement WHERE attempt = :attempt

-- name: record_progress
-- How many statements of a file of several units are committed.
UPDATE {history} SET statements_done = :done, in_flight = NULL WHERE attempt = :attempt

-- name: record_end
-- How a file of several units ended.
UPDATE {history} SET outcome = :outcome, error = :error, finished = :finished
 WHERE attempt = :attempt

-- name: record_cut_off
-- That an attempt was cut off, where its end is not recorded; what was under way stays named.
UPDATE {history} SET outcome = 'failed', error = :error, finished = :finished
 WHERE attempt = :attempt AND outcome = 'running'

-- name: stored_halves
-- Every text that is kept of these versions, oldest first.
SELECT version, id, checksum_formula,
       up_checksum, up_digest, up_sql, down_checksum, down_digest, down_sql
  FROM {history}
 WHERE version IN ({versions}) AND (up_sql IS NOT NULL OR down_sql IS NOT NULL)
 ORDER BY id

-- name: find_attempt
-- The outcome of one attempt, by our own id.
SELECT outcome FROM {history} WHERE attempt = ?

-- name: first_rows
-- How many rows there are, counted up to a bound.
SELECT count(*) FROM (SELECT 1 FROM {table} {condition} LIMIT {bound})

-- name: objects
-- Tables and views that are not SQLite's own, and whether a table is virtual.
SELECT type, name, sql LIKE 'CREATE VIRTUAL TABLE%' FROM main.sqlite_master
 WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\_%' ESCAPE '\'
 ORDER BY type, name

-- name: shadows
-- The tables in which virtual tables keep what they hold.
SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'shadow'

-- name: temporary
-- What was made for this connection alone, views and triggers before tables.
SELECT type, name FROM temp.sqlite_master
 WHERE type IN ('table', 'view', 'trigger') AND name NOT LIKE 'sqlite\_%' ESCAPE '\'
 ORDER BY type = 'table', name

-- name: row_values
-- The values by which one row refers to another table.
SELECT {columns} FROM {table} WHERE rowid = ?

-- name: children
-- The columns of other tables that refer to a table and change with its rows, and the action.
SELECT m.name, k.id, k."from", k.on_delete
  FROM main.sqlite_master m, pragma_foreign_key_list(m.name, 'main') k
 WHERE m.type = 'table' AND k."table" = ?1 COLLATE NOCASE AND m.name <> ?1 COLLATE NOCASE
   AND k.on_delete IN ('CASCADE', 'SET NULL', 'SET DEFAULT')
 ORDER BY m.name, k.id, k.seq

-- name: refers
-- A row where a table has any that refers by these columns.
SELECT 1 FROM {table} WHERE {condition} LIMIT 1

-- name: referencing
-- The tables whose rows go with rows of a table, or lose a value, by foreign keys, at any depth.
WITH RECURSIVE keys (child, parent, action) AS (
    SELECT m.name, k."table", k.on_delete
      FROM main.sqlite_master m, pragma_foreign_key_list(m.name, 'main') k
     WHERE m.type = 'table' AND k.on_delete IN ('CASCADE', 'SET NULL', 'SET DEFAULT')),
hit (name, action) AS (
    SELECT ?1, 'CASCADE'
     UNION
    SELECT keys.child, keys.action
      FROM hit JOIN keys ON keys.parent = hit.name COLLATE NOCASE
     WHERE hit.action = 'CASCADE')
SELECT name, max(action = 'CASCADE') FROM hit
 WHERE name <> ?1 COLLATE NOCASE GROUP BY name ORDER BY name
