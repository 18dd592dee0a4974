-- Answers no longer say what they used and cost; what is recorded is lost. The
-- check goes with the columns that it speaks of.

ALTER TABLE messages
    DROP COLUMN generation_id,
    DROP COLUMN generation_time_ms,
    DROP COLUMN latency_ms,
    DROP COLUMN cost_usd,
    DROP COLUMN total_tokens,
    DROP COLUMN completion_tokens,
    DROP COLUMN prompt_tokens;
