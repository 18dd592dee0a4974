-- Answers no longer say how they were sampled; what is recorded is lost. The
-- check goes with its column.

ALTER TABLE messages
    DROP COLUMN temperature;
