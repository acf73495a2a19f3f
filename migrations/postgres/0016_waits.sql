-- An approved line that breaks a rule waits for its exception.

-- Since when all have said yes and it waits; it stays with the line. And why a line ended without what was asked for, in the
-- words that its asker reads, where its state does not say it.
ALTER TABLE lines ADD COLUMN waits_since TIMESTAMPTZ;
ALTER TABLE lines ADD COLUMN ended_why TEXT;
CREATE INDEX lines_waits ON lines (waits_since, id) WHERE state = 'awaiting_approval' AND waits_since IS NOT NULL;

CREATE TRIGGER lines_waits_begin BEFORE INSERT ON lines FOR EACH ROW
  WHEN (NEW.waits_since IS NOT NULL OR NEW.ended_why IS NOT NULL)
  EXECUTE FUNCTION latchkey_refuse('a new line waits for nobody but its deciders');
-- Only what every stage said yes to waits for an exception, and for once.
CREATE FUNCTION lines_waits() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.waits_since IS NOT NULL OR OLD.state <> 'awaiting_approval' OR EXISTS (SELECT 1 FROM stages WHERE stages.line_id = NEW.id AND stages.state NOT IN ('met', 'met_by_asking', 'collapsed') AND NOT (stages.state = 'passed_on' AND EXISTS (SELECT 1 FROM stages AS later WHERE later.line_id = NEW.id AND later.position > stages.position AND later.state = 'met'))) THEN
    RAISE EXCEPTION 'only what is approved waits for an exception' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER lines_waits BEFORE UPDATE ON lines FOR EACH ROW
  WHEN (NEW.waits_since IS DISTINCT FROM OLD.waits_since) EXECUTE FUNCTION lines_waits();
CREATE TRIGGER lines_why BEFORE UPDATE ON lines FOR EACH ROW
  WHEN (NEW.ended_why IS DISTINCT FROM OLD.ended_why AND OLD.state <> 'awaiting_approval')
  EXECUTE FUNCTION latchkey_refuse('why a line ended is written with its end');
