CREATE TABLE rooms (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL, topic text);
INSERT INTO rooms (name) SELECT 'room ' || n FROM generate_series(1, 50) AS n;
