-- An answer can only be understood, or asked for again, with the temperature
-- that it was sampled at.
--
-- numeric, so that 0.7 is read back as 0.7. From 0 to 2 is the widest range
-- that a provider takes. NULL means that none was sent, and the provider's own
-- default held.
--
-- The check is NOT VALID, so it reads no row: no old row can violate it, since
-- all of them have NULL, and every new or changed one is checked. To have it
-- marked as valid, at leisure and without blocking anybody's reads or writes:
--
--     ALTER TABLE messages VALIDATE CONSTRAINT messages_temperature_check;

ALTER TABLE messages
    ADD COLUMN temperature numeric,
    ADD CONSTRAINT messages_temperature_check
        CHECK (temperature BETWEEN 0 AND 2) NOT VALID;
