-- We pay by the token and users wait by the second, so each answer records
-- what it used, what it cost and how long it took, and the name under which
-- the provider's own books have it.
--
-- The total is stored and not computed: providers count reasoning or cached
-- tokens in it, so it need not be the sum, and a stored generated column would
-- rewrite the table. A price per token can be as small as 0.0000000375 USD,
-- hence twelve decimals. All are NULL for what no model wrote, for answers
-- from before these columns, and where a provider does not say.
--
-- generation_id has no index: it is read from the answer, never searched by,
-- and building one here would hold up writes for the length of a scan.
--
-- The check is NOT VALID, so it reads no row: no old row can violate it, since
-- all of them have NULL, and every new or changed one is checked. To have it
-- marked as valid, at leisure and without blocking anybody's reads or writes:
--
--     ALTER TABLE messages VALIDATE CONSTRAINT messages_usage_check;

ALTER TABLE messages
    ADD COLUMN prompt_tokens integer,
    ADD COLUMN completion_tokens integer,
    ADD COLUMN total_tokens integer,
    ADD COLUMN cost_usd numeric(18, 12),
    -- From the request until the first token came back.
    ADD COLUMN latency_ms integer,
    -- From the first token to the last, as the provider measured it.
    ADD COLUMN generation_time_ms integer,
    ADD COLUMN generation_id text,
    -- A cost of NaN would count as positive and spoil every sum that it is in.
    ADD CONSTRAINT messages_usage_check
        CHECK (
            prompt_tokens >= 0
            AND completion_tokens >= 0
            AND total_tokens >= 0
            AND cost_usd >= 0
            AND cost_usd <> 'NaN'
            AND latency_ms >= 0
            AND generation_time_ms >= 0
        ) NOT VALID;
