-- name: schema
-- Every object with the SQL that makes it, but for those of the tables that are named.
SELECT type, name, tbl_name, sql FROM main.sqlite_master
 WHERE lower(tbl_name) NOT IN ({left_out}) AND name NOT LIKE 'sqlite\_%' ESCAPE '\'
 ORDER BY type, name
