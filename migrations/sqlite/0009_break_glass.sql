-- Break-glass: access that nobody approved first, and what somebody else says of it afterwards.

-- SQLite changes a check by this procedure of its documentation (ALTER TABLE, section 7).
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = replace(sql, '''role_change''', '''role_change'', ''break_glass''') WHERE type = 'table' AND name = 'findings';
PRAGMA writable_schema = RESET;
-- The use that is to be reviewed, and what was said of it.
ALTER TABLE findings ADD COLUMN grant_id BLOB REFERENCES grants (id) CHECK (length(grant_id) = 16);
ALTER TABLE findings ADD COLUMN conclusion TEXT CHECK (conclusion IN ('justified', 'not_justified'));
CREATE INDEX findings_review ON findings (person_id, due_at) WHERE kind = 'break_glass' AND state <> 'closed';
CREATE INDEX grants_break_glass ON grants (person_id, package_id, created_at) WHERE source = 'break_glass';

-- A day is the most, whoever writes: no end, or a later one, is no break-glass.
CREATE TRIGGER grants_break_glass_begin BEFORE INSERT ON grants
  WHEN NEW.source = 'break_glass' AND (NEW.line_id IS NULL OR NEW.end_at IS NULL OR NEW.end_at - NEW.valid_from > 86400000000
    OR NOT EXISTS (SELECT 1 FROM lines WHERE lines.id = NEW.line_id AND lines.asker_id = NEW.person_id))
BEGIN
  SELECT RAISE(ABORT, 'break-glass is for oneself, and lasts a day at most');
END;
CREATE TRIGGER grants_break_glass_end BEFORE UPDATE ON grants
  WHEN OLD.source = 'break_glass' AND (NEW.end_at IS NULL OR NEW.end_at > OLD.end_at)
BEGIN
  SELECT RAISE(ABORT, 'break-glass is never made longer');
END;
-- Each use has its review, and it is somebody else's.
CREATE TRIGGER findings_break_glass_begin BEFORE INSERT ON findings
  WHEN (NEW.kind = 'break_glass' OR NEW.grant_id IS NOT NULL OR NEW.conclusion IS NOT NULL)
    AND (NEW.kind <> 'break_glass' OR NEW.conclusion IS NOT NULL OR NEW.state <> 'open'
      OR NOT EXISTS (SELECT 1 FROM grants WHERE grants.id = NEW.grant_id AND grants.source = 'break_glass' AND grants.person_id = NEW.person_id))
BEGIN
  SELECT RAISE(ABORT, 'a review of break-glass is about one use by that person');
END;
CREATE TRIGGER findings_break_glass_end BEFORE UPDATE ON findings
  WHEN NEW.grant_id IS DISTINCT FROM OLD.grant_id
    OR (NEW.conclusion IS NOT NULL AND NEW.kind <> 'break_glass')
    OR (OLD.kind = 'break_glass' AND (NEW.state = 'closed') <> (NEW.conclusion IS NOT NULL))
    OR (OLD.kind = 'break_glass' AND NEW.state = 'closed'
      AND (NEW.noted_by IS NULL OR NEW.noted_by = OLD.person_id OR length(trim(NEW.note)) < 5))
BEGIN
  SELECT RAISE(ABORT, 'a use of break-glass is reviewed by somebody else, in writing');
END;
