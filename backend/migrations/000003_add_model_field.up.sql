-- Users may change the model in the middle of a conversation, so each answer
-- has to say which one wrote it.
--
-- NULL for what no model wrote, and for answers from before this column. No
-- list of names is checked: providers bring out models more often than we
-- change the schema.

ALTER TABLE messages
    ADD COLUMN model text;
