REINDEX INDEX CONCURRENTLY rooms_name;
INSERT INTO witnesses VALUES ('behind the reindex');
DROP INDEX CONCURRENTLY rooms_name;
