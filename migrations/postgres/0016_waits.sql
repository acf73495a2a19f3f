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

-- A fresh sign-in for more than a yes in a stage: for a word about an exception, for an edition of the catalogue, for the kill
-- switch. What it is for is its act and the id of the thing; a yes keeps its stage instead.
ALTER TABLE fresh_sign_ins ALTER COLUMN stage_id DROP NOT NULL;
ALTER TABLE fresh_sign_ins ADD COLUMN act TEXT NOT NULL DEFAULT 'decide' CHECK (act IN ('decide', 'accept', 'confirm', 'publish', 'stop', 'end'));
ALTER TABLE fresh_sign_ins ADD COLUMN subject_id UUID CHECK ((act = 'decide') = (subject_id IS NULL)) CHECK ((act = 'decide') = (stage_id IS NOT NULL));

-- Whether it takes one is fixed when it begins to wait; and the one that counted.
ALTER TABLE exceptions ADD COLUMN fresh BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE exceptions ADD COLUMN accepted_fresh_id UUID REFERENCES fresh_sign_ins (id);
ALTER TABLE exceptions ADD COLUMN confirmed_fresh_id UUID REFERENCES fresh_sign_ins (id);
ALTER TABLE catalogue_versions ADD COLUMN fresh BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE catalogue_versions ADD COLUMN decided_fresh_id UUID REFERENCES fresh_sign_ins (id);
ALTER TABLE persons ADD COLUMN suspended_fresh_id UUID REFERENCES fresh_sign_ins (id);

DROP TRIGGER fresh_sign_ins_fixed ON fresh_sign_ins;
CREATE TRIGGER fresh_sign_ins_fixed BEFORE UPDATE ON fresh_sign_ins FOR EACH ROW
  WHEN (OLD.proven_at IS NOT NULL OR OLD.refusals IS NOT NULL OR NEW.id IS DISTINCT FROM OLD.id OR NEW.act IS DISTINCT FROM OLD.act OR NEW.subject_id IS DISTINCT FROM OLD.subject_id OR NEW.stage_id IS DISTINCT FROM OLD.stage_id OR NEW.person_id IS DISTINCT FROM OLD.person_id OR NEW.account_id IS DISTINCT FROM OLD.account_id OR NEW.cap_seconds IS DISTINCT FROM OLD.cap_seconds OR NEW.note IS DISTINCT FROM OLD.note OR NEW.signed_hash IS DISTINCT FROM OLD.signed_hash OR NEW.context IS DISTINCT FROM OLD.context OR NEW.begun_at IS DISTINCT FROM OLD.begun_at)
  EXECUTE FUNCTION latchkey_refuse('what waits for a fresh sign-in stays as it was typed, and has one outcome');
CREATE FUNCTION exceptions_proven() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (OLD.fresh = TRUE AND NEW.fresh = FALSE) OR (OLD.accepted_by IS NOT NULL AND (NEW.accepted_fresh_id IS DISTINCT FROM OLD.accepted_fresh_id OR (OLD.confirmed_by IS NULL AND NEW.fresh IS DISTINCT FROM OLD.fresh))) OR (OLD.confirmed_by IS NOT NULL AND (NEW.confirmed_fresh_id IS DISTINCT FROM OLD.confirmed_fresh_id OR NEW.fresh IS DISTINCT FROM OLD.fresh)) OR (OLD.accepted_by IS NULL AND NEW.accepted_by IS NOT NULL AND (NEW.fresh = TRUE OR NEW.accepted_fresh_id IS NOT NULL) AND NOT EXISTS (SELECT 1 FROM fresh_sign_ins WHERE fresh_sign_ins.id = NEW.accepted_fresh_id AND fresh_sign_ins.act = 'accept' AND fresh_sign_ins.subject_id = NEW.id AND fresh_sign_ins.person_id = NEW.accepted_by AND fresh_sign_ins.proven_at IS NOT NULL)) OR (OLD.confirmed_by IS NULL AND NEW.confirmed_by IS NOT NULL AND (NEW.fresh = TRUE OR NEW.confirmed_fresh_id IS NOT NULL) AND NOT EXISTS (SELECT 1 FROM fresh_sign_ins WHERE fresh_sign_ins.id = NEW.confirmed_fresh_id AND fresh_sign_ins.act = 'confirm' AND fresh_sign_ins.subject_id = NEW.id AND fresh_sign_ins.person_id = NEW.confirmed_by AND fresh_sign_ins.proven_at IS NOT NULL)) THEN
    RAISE EXCEPTION 'this word wants a fresh sign-in of its own' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER exceptions_proven BEFORE UPDATE ON exceptions FOR EACH ROW EXECUTE FUNCTION exceptions_proven();
CREATE FUNCTION catalogue_versions_proven() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (OLD.fresh = TRUE AND NEW.fresh = FALSE) OR (OLD.state <> 'pending' AND (NEW.decided_fresh_id IS DISTINCT FROM OLD.decided_fresh_id OR NEW.fresh IS DISTINCT FROM OLD.fresh)) OR (OLD.state = 'pending' AND NEW.state = 'published' AND (NEW.fresh = TRUE OR NEW.decided_fresh_id IS NOT NULL) AND NOT EXISTS (SELECT 1 FROM fresh_sign_ins WHERE fresh_sign_ins.id = NEW.decided_fresh_id AND fresh_sign_ins.act = 'publish' AND fresh_sign_ins.subject_id = NEW.id AND fresh_sign_ins.person_id = NEW.decided_by AND fresh_sign_ins.proven_at IS NOT NULL)) THEN
    RAISE EXCEPTION 'this version wants a fresh sign-in of its own' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER catalogue_versions_proven BEFORE UPDATE ON catalogue_versions FOR EACH ROW EXECUTE FUNCTION catalogue_versions_proven();
CREATE FUNCTION persons_proven() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.suspended_fresh_id IS NOT NULL AND (NEW.suspended_at IS NULL OR (NEW.suspended_fresh_id IS DISTINCT FROM OLD.suspended_fresh_id AND NOT EXISTS (SELECT 1 FROM fresh_sign_ins WHERE fresh_sign_ins.id = NEW.suspended_fresh_id AND fresh_sign_ins.act IN ('stop', 'end') AND fresh_sign_ins.subject_id = NEW.id AND fresh_sign_ins.person_id = NEW.suspended_by AND fresh_sign_ins.proven_at IS NOT NULL))) THEN
    RAISE EXCEPTION 'a fresh sign-in counts for whom it was made, and whoever made it' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER persons_proven BEFORE UPDATE ON persons FOR EACH ROW
  WHEN (NEW.suspended_fresh_id IS NOT NULL) EXECUTE FUNCTION persons_proven();
