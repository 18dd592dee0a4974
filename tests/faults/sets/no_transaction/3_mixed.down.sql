ALTER TABLE rooms DROP COLUMN members;
DROP INDEX CONCURRENTLY rooms_name_and_id;
DROP TABLE witnesses;
