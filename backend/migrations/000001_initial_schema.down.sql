-- Takes back the three tables and all that is in them, the referring ones
-- first. No CASCADE: whatever else has come to depend on them should be heard.

DROP TABLE messages;
DROP TABLE conversations;
DROP TABLE users;
