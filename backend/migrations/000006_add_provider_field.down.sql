-- Answers no longer say who served them; what is recorded is lost.

ALTER TABLE messages
    DROP COLUMN provider;
