CREATE INDEX CONCURRENTLY rooms_name ON rooms (name);
DELETE FROM witnesses WHERE said = 'behind the reindex';
