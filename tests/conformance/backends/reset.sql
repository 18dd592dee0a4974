-- An empty database again, however it was left, with nobody in it but the stages themselves.
DO $$
DECLARE
    each record;
BEGIN
    PERFORM pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity
    WHERE datname = pg_catalog.current_database() AND application_name <> 'conformance';
    FOR each IN
        SELECT nspname FROM pg_catalog.pg_namespace
        WHERE nspname <> 'information_schema' AND nspname NOT LIKE 'pg\_%'
    LOOP
        EXECUTE pg_catalog.format('DROP SCHEMA %I CASCADE', each.nspname);
    END LOOP;
    FOR each IN SELECT rolname FROM pg_catalog.pg_roles WHERE rolname LIKE 'conf\_%' LOOP
        EXECUTE pg_catalog.format('DROP OWNED BY %I', each.rolname);
        EXECUTE pg_catalog.format('DROP ROLE %I', each.rolname);
    END LOOP;
    CREATE SCHEMA public;
    GRANT USAGE ON SCHEMA public TO PUBLIC;
END
$$
