-- A long conversation no longer fits into a model's context, so the service
-- sends a summary of its beginning and only the messages after that. Several
-- may be tried for one conversation; one of them is active.
--
-- The conversation names its active summary together with its own id. So the
-- summary is certain to be one of its own, and when a summary is deleted the
-- server looks for the conversation by its primary key. A reference by the
-- summary's id alone would read all conversations each time, or need an index
-- on them that cannot be built here without holding up their writers.
--
-- Deleting the active summary is refused, as long as its conversation stays:
-- point the conversation elsewhere, or at NULL, first. SET NULL would empty
-- both columns of the reference on PostgreSQL 14, the conversation's id too.
-- Deleting the conversation takes its summaries along, the active one included.
--
-- conversations is locked first and at its strongest, so that no weaker lock
-- on it has to be raised while a reader is waiting for another table of ours.
--
-- The reference is NOT VALID, so it reads no row: no old row can violate it,
-- since all of them have NULL, and every new or changed one is checked. To
-- have it marked as valid, at leisure and without blocking anybody's reads or
-- writes:
--
--     ALTER TABLE conversations VALIDATE CONSTRAINT conversations_active_summary_fkey;

ALTER TABLE conversations
    ADD COLUMN active_summary_id uuid;

CREATE TABLE conversation_summaries (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    conversation_id uuid NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    summary text NOT NULL,
    -- The last message that the summary covers. A message can always be
    -- deleted: its summary then stays, but no longer says how far it reaches,
    -- and NULL tells the service to make another.
    last_message_id uuid REFERENCES messages (id) ON DELETE SET NULL,
    -- How many requests it was sent with.
    usage_count integer NOT NULL DEFAULT 0
        CONSTRAINT conversation_summaries_usage_count_check CHECK (usage_count >= 0),
    created_at timestamptz NOT NULL DEFAULT now(),
    -- What the active summary is named by. Its index also finds the summaries
    -- of a conversation, to list them and when the conversation goes.
    CONSTRAINT conversation_summaries_conversation_id_id_key UNIQUE (conversation_id, id)
);

-- Finds the summaries that end at a message when that message goes.
CREATE INDEX conversation_summaries_last_message_id_idx
    ON conversation_summaries (last_message_id);

ALTER TABLE conversations
    ADD CONSTRAINT conversations_active_summary_fkey
        FOREIGN KEY (id, active_summary_id)
        REFERENCES conversation_summaries (conversation_id, id) NOT VALID;
