-- Answers no longer say which model wrote them; what is recorded is lost.

ALTER TABLE messages
    DROP COLUMN model;
