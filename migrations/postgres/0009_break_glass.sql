-- Break-glass: access that nobody approved first, and what somebody else says of it afterwards.

ALTER TABLE findings DROP CONSTRAINT findings_kind_check;
ALTER TABLE findings ADD CONSTRAINT findings_kind_check
  CHECK (kind IN ('conflict', 'import', 'orphan', 'standing_privilege', 'role_change', 'break_glass'));
-- The use that is to be reviewed, and what was said of it.
ALTER TABLE findings ADD COLUMN grant_id UUID REFERENCES grants (id);
ALTER TABLE findings ADD COLUMN conclusion TEXT CHECK (conclusion IN ('justified', 'not_justified'));
CREATE INDEX findings_review ON findings (person_id, due_at) WHERE kind = 'break_glass' AND state <> 'closed';
CREATE INDEX grants_break_glass ON grants (person_id, package_id, created_at) WHERE source = 'break_glass';

-- A day is the most, whoever writes: no end, or a later one, is no break-glass.
CREATE FUNCTION grants_break_glass_begin() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.line_id IS NULL OR NEW.end_at IS NULL OR NEW.end_at - NEW.valid_from > INTERVAL '86400 seconds'
    OR NOT EXISTS (SELECT 1 FROM lines WHERE lines.id = NEW.line_id AND lines.asker_id = NEW.person_id) THEN
    RAISE EXCEPTION 'break-glass is for oneself, and lasts a day at most' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER grants_break_glass_begin BEFORE INSERT ON grants FOR EACH ROW
  WHEN (NEW.source = 'break_glass') EXECUTE FUNCTION grants_break_glass_begin();
CREATE TRIGGER grants_break_glass_end BEFORE UPDATE ON grants FOR EACH ROW
  WHEN (OLD.source = 'break_glass' AND (NEW.end_at IS NULL OR NEW.end_at > OLD.end_at))
  EXECUTE FUNCTION latchkey_refuse('break-glass is never made longer');
-- Each use has its review, and it is somebody else's.
CREATE FUNCTION findings_break_glass_begin() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.kind <> 'break_glass' OR NEW.conclusion IS NOT NULL OR NEW.state <> 'open'
    OR NOT EXISTS (SELECT 1 FROM grants WHERE grants.id = NEW.grant_id AND grants.source = 'break_glass' AND grants.person_id = NEW.person_id) THEN
    RAISE EXCEPTION 'a review of break-glass is about one use by that person' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER findings_break_glass_begin BEFORE INSERT ON findings FOR EACH ROW
  WHEN (NEW.kind = 'break_glass' OR NEW.grant_id IS NOT NULL OR NEW.conclusion IS NOT NULL)
  EXECUTE FUNCTION findings_break_glass_begin();
CREATE TRIGGER findings_break_glass_end BEFORE UPDATE ON findings FOR EACH ROW
  WHEN (NEW.grant_id IS DISTINCT FROM OLD.grant_id
    OR (NEW.conclusion IS NOT NULL AND NEW.kind <> 'break_glass')
    OR (OLD.kind = 'break_glass' AND (NEW.state = 'closed') <> (NEW.conclusion IS NOT NULL))
    OR (OLD.kind = 'break_glass' AND NEW.state = 'closed'
      AND (NEW.noted_by IS NULL OR NEW.noted_by = OLD.person_id OR length(trim(NEW.note)) < 5)))
  EXECUTE FUNCTION latchkey_refuse('a use of break-glass is reviewed by somebody else, in writing');
