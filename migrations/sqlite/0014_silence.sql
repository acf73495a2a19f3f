-- How the silence of a stage ends, as its rule says: the line is denied, or the later stages decide. Never a yes.

-- SQLite changes a check by this procedure of its documentation (ALTER TABLE, section 7).
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = replace(sql, '''collapsed'', ''denied''', '''collapsed'', ''passed_on'', ''unanswered'', ''denied''') WHERE type = 'table' AND name = 'stages';
PRAGMA writable_schema = RESET;

-- A stage is passed on or left unanswered only where its rule says so, and passed on only to a later one that may still be decided.
CREATE TRIGGER stages_silence BEFORE UPDATE ON stages
  WHEN NEW.state <> OLD.state AND NEW.state IN ('passed_on', 'unanswered') AND (OLD.state <> 'open'
    OR (json_extract(NEW.rule, '$.silence.end') IS DISTINCT FROM CASE NEW.state WHEN 'passed_on' THEN 'pass_on' ELSE 'deny' END)
    OR (NEW.state = 'passed_on' AND NOT EXISTS (SELECT 1 FROM stages AS later WHERE later.line_id = NEW.line_id AND later.position > NEW.position AND later.state IN ('waiting', 'open', 'met'))))
BEGIN
  SELECT RAISE(ABORT, 'a silence ends as the rule of the stage says');
END;

-- A line is approved where each stage counts as a yes; one that was passed on needs a later one that people voted in.
DROP TRIGGER lines_decided;
CREATE TRIGGER lines_decided BEFORE UPDATE ON lines
  WHEN (NEW.state = 'approved' AND OLD.state <> 'approved' AND EXISTS (SELECT 1 FROM stages WHERE stages.line_id = NEW.id AND stages.state NOT IN ('met', 'met_by_asking', 'collapsed') AND NOT (stages.state = 'passed_on' AND EXISTS (SELECT 1 FROM stages AS later WHERE later.line_id = NEW.id AND later.position > stages.position AND later.state = 'met')))) OR (NEW.state = 'denied' AND OLD.state <> 'denied' AND NOT EXISTS (SELECT 1 FROM stages WHERE stages.line_id = NEW.id AND stages.state IN ('denied', 'unanswered')))
BEGIN
  SELECT RAISE(ABORT, 'the stages of a line decide it');
END;

-- When people of a country work, as the published edition says it; the country as the directory writes it.
CREATE TABLE calendars (
  country TEXT NOT NULL PRIMARY KEY CHECK (country <> ''),
  calendar TEXT NOT NULL,
  catalogue_version_id BLOB NOT NULL REFERENCES catalogue_versions (id) CHECK (length(catalogue_version_id) = 16)
) STRICT;
