CREATE TABLE witnesses (said text);
INSERT INTO witnesses VALUES ('before the index');
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS rooms_name_and_id ON rooms (name, id);
INSERT INTO witnesses VALUES ('behind the index');
ALTER TABLE rooms ADD COLUMN members int NOT NULL DEFAULT 0;
INSERT INTO witnesses VALUES ('at the end');
