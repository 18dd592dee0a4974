-- One model is served by several providers, at other prices and speeds, so the
-- model's name alone does not explain an answer's cost.
--
-- NULL for what no model wrote, and for answers from before this column. No
-- list of names is checked, for the reason given with the model.

ALTER TABLE messages
    ADD COLUMN provider text;
