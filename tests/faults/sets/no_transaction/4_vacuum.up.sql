INSERT INTO rooms (name) VALUES ('added before the vacuum');
VACUUM rooms;
INSERT INTO witnesses VALUES ('behind the vacuum');
