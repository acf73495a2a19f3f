-- How the silence of a stage ends, as its rule says: the line is denied, or the later stages decide. Never a yes.

ALTER TABLE stages DROP CONSTRAINT stages_state_check, ADD CONSTRAINT stages_state_check
  CHECK (state IN ('waiting', 'open', 'met', 'met_by_asking', 'collapsed', 'passed_on', 'unanswered', 'denied', 'closed'));

-- A stage is passed on or left unanswered only where its rule says so, and passed on only to a later one that may still be decided.
CREATE FUNCTION stages_silence() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.state <> 'open'
    OR ((NEW.rule::json -> 'silence' ->> 'end') IS DISTINCT FROM CASE NEW.state WHEN 'passed_on' THEN 'pass_on' ELSE 'deny' END)
    OR (NEW.state = 'passed_on' AND NOT EXISTS (SELECT 1 FROM stages AS later WHERE later.line_id = NEW.line_id AND later.position > NEW.position AND later.state IN ('waiting', 'open', 'met'))) THEN
    RAISE EXCEPTION 'a silence ends as the rule of the stage says' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER stages_silence BEFORE UPDATE ON stages FOR EACH ROW
  WHEN (NEW.state <> OLD.state AND NEW.state IN ('passed_on', 'unanswered')) EXECUTE FUNCTION stages_silence();

-- A line is approved where each stage counts as a yes; one that was passed on needs a later one that people voted in.
CREATE OR REPLACE FUNCTION lines_decided() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (NEW.state = 'approved' AND OLD.state <> 'approved' AND EXISTS (SELECT 1 FROM stages WHERE stages.line_id = NEW.id AND stages.state NOT IN ('met', 'met_by_asking', 'collapsed') AND NOT (stages.state = 'passed_on' AND EXISTS (SELECT 1 FROM stages AS later WHERE later.line_id = NEW.id AND later.position > stages.position AND later.state = 'met')))) OR (NEW.state = 'denied' AND OLD.state <> 'denied' AND NOT EXISTS (SELECT 1 FROM stages WHERE stages.line_id = NEW.id AND stages.state IN ('denied', 'unanswered'))) THEN
    RAISE EXCEPTION 'the stages of a line decide it' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;

-- When people of a country work, as the published edition says it; the country as the directory writes it.
CREATE TABLE calendars (
  country TEXT NOT NULL PRIMARY KEY CHECK (country <> ''),
  calendar TEXT NOT NULL,
  catalogue_version_id UUID NOT NULL REFERENCES catalogue_versions (id)
);
