-- name: surroundings
-- The role we work as and what it may, the server's version, every role, those that ours belongs
-- to, the extensions, and settings that change what SQL means. Up to 15 CREATEROLE may give
-- itself every role that is not a superuser, those that reach files and programs too.
SELECT 'user' AS what, current_user::pg_catalog.text AS name, NULL AS value
UNION ALL
SELECT 'version', pg_catalog.current_setting('server_version_num'), NULL
UNION ALL
SELECT 'role', rolname, NULL
  FROM pg_catalog.pg_roles
 WHERE NOT rolname OPERATOR(pg_catalog.~) '^pg_'
UNION ALL
SELECT 'member', rolname, NULL
  FROM pg_catalog.pg_roles
 WHERE NOT rolname OPERATOR(pg_catalog.~) '^pg_'
   AND rolname OPERATOR(pg_catalog.<>) current_user
   AND pg_catalog.pg_has_role(oid, 'MEMBER')
UNION ALL
SELECT 'may', may.what, NULL
  FROM pg_catalog.pg_roles me,
       pg_catalog.unnest(ARRAY['make roles', 'leave the database']) AS may (what)
 WHERE me.rolname OPERATOR(pg_catalog.=) current_user
   AND (me.rolsuper
        OR me.rolcreaterole
           AND (may.what OPERATOR(pg_catalog.=) 'make roles'
                OR pg_catalog.current_setting('server_version_num')::pg_catalog.int4
                   OPERATOR(pg_catalog.<) 160000)
        OR may.what OPERATOR(pg_catalog.=) 'leave the database'
           AND EXISTS (SELECT FROM pg_catalog.pg_roles r
                        WHERE (r.rolsuper OR r.rolname OPERATOR(pg_catalog.=) ANY
                               (ARRAY['pg_execute_server_program', 'pg_read_server_files',
                                      'pg_write_server_files']))
                          AND pg_catalog.pg_has_role(r.oid, 'MEMBER')))
UNION ALL
SELECT 'extension', e.extname, n.nspname
  FROM pg_catalog.pg_extension e
  JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) e.extnamespace
UNION ALL
SELECT 'setting', name, setting
  FROM pg_catalog.pg_settings
 WHERE source OPERATOR(pg_catalog.=) ANY (ARRAY['database', 'user', 'database user'])
   AND (name OPERATOR(pg_catalog.~) '[.]'
        OR name OPERATOR(pg_catalog.=) ANY (ARRAY['search_path', 'standard_conforming_strings',
            'default_text_search_config', 'DateStyle', 'IntervalStyle', 'TimeZone', 'xmloption',
            'check_function_bodies', 'default_toast_compression', 'array_nulls']))
 ORDER BY 1, 2
