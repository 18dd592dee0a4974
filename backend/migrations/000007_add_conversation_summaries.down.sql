-- Conversations are sent whole again; the summaries are lost. The two tables
-- refer to each other: dropping the column drops the reference to the
-- summaries, and then nothing holds them.

ALTER TABLE conversations
    DROP COLUMN active_summary_id;

DROP TABLE conversation_summaries;
