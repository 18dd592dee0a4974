-- rung: no-transaction
INSERT INTO witnesses VALUES ('first');
CREATE TABLE members (room int NOT NULL, name text);
INSERT INTO members SELECT id, 'somebody' FROM rooms;
UPDATE rooms SET members = 1;
INSERT INTO witnesses VALUES ('last');
