-- The chat service needs somewhere to keep who is talking, in which
-- conversation, and what was said.
--
-- Keys are uuids, so that a client can name what it creates before the server
-- has seen it, and an address gives away neither order nor number. Deleting a
-- user takes their conversations along, and a conversation its messages:
-- nothing personal is left behind by accident.

CREATE TABLE users (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    -- Both are compared as they are stored: the service folds the case.
    username text NOT NULL CONSTRAINT users_username_key UNIQUE,
    email text NOT NULL CONSTRAINT users_email_key UNIQUE,
    password_hash text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE conversations (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    -- NULL until the user or the model has thought of one.
    title text,
    created_at timestamptz NOT NULL DEFAULT now(),
    -- Moved by the service with each message.
    updated_at timestamptz NOT NULL DEFAULT now()
);

-- A user's conversations, newest first; also finds them when the user goes.
CREATE INDEX conversations_user_id_updated_at_idx
    ON conversations (user_id, updated_at DESC);

CREATE TABLE messages (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    conversation_id uuid NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    role text NOT NULL
        CONSTRAINT messages_role_check CHECK (role IN ('user', 'assistant', 'system')),
    content text NOT NULL,
    -- Not now(), which stands still within a transaction: a question and its
    -- answer that are saved together have to stay in order.
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- A conversation's messages in order (the id settles a tie the same way each
-- time); also finds them when the conversation goes.
CREATE INDEX messages_conversation_id_created_at_idx
    ON messages (conversation_id, created_at, id);
