-- name: surroundings
-- The role we work as, the server's version, every role, and settings that change what SQL means.
SELECT 'user' AS what, current_user::pg_catalog.text AS name, NULL AS value
UNION ALL
SELECT 'version', pg_catalog.current_setting('server_version_num'), NULL
UNION ALL
SELECT 'role', rolname, NULL
  FROM pg_catalog.pg_roles
 WHERE NOT rolname OPERATOR(pg_catalog.~) '^pg_'
UNION ALL
SELECT 'setting', name, setting
  FROM pg_catalog.pg_settings
 WHERE source OPERATOR(pg_catalog.=) ANY (ARRAY['database', 'user', 'database user'])
   AND (name OPERATOR(pg_catalog.~) '[.]'
        OR name OPERATOR(pg_catalog.=) ANY (ARRAY['search_path', 'standard_conforming_strings',
            'default_text_search_config', 'DateStyle', 'IntervalStyle', 'TimeZone', 'xmloption',
            'check_function_bodies', 'default_toast_compression', 'array_nulls']))
 ORDER BY 1, 2
