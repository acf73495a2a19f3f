-- A fresh sign-in for decisions that matter.

-- Whether a yes in this stage counts only with a fresh sign-in; fixed with the route.
ALTER TABLE stages ADD COLUMN fresh BOOLEAN NOT NULL DEFAULT FALSE;

-- What waits for a fresh sign-in, exactly as it was typed; and what came of it: proven, once, together with the vote that it
-- is for, or refused. Only a yes waits for one. Times are those of the system, as for sessions.
CREATE TABLE fresh_sign_ins (
  id UUID NOT NULL PRIMARY KEY,
  stage_id UUID NOT NULL REFERENCES stages (id),
  person_id UUID NOT NULL REFERENCES persons (id),
  account_id UUID NOT NULL REFERENCES accounts (id),
  cap_seconds BIGINT CHECK (cap_seconds > 0),
  note TEXT NOT NULL,
  signed_hash TEXT NOT NULL,
  context TEXT,
  begun_at TIMESTAMPTZ NOT NULL,
  signed_in_at TIMESTAMPTZ,
  proven_at TIMESTAMPTZ,
  refusals TEXT,
  CHECK ((proven_at IS NULL) = (signed_in_at IS NULL)),
  CHECK (proven_at IS NULL OR refusals IS NULL),
  CHECK (proven_at - begun_at < INTERVAL '5 minutes')
);
CREATE INDEX fresh_sign_ins_begun ON fresh_sign_ins (begun_at) WHERE proven_at IS NULL;

-- A fresh sign-in counts for one decision.
ALTER TABLE decisions ADD COLUMN fresh_id UUID REFERENCES fresh_sign_ins (id);
CREATE UNIQUE INDEX decisions_fresh ON decisions (fresh_id) WHERE fresh_id IS NOT NULL;

-- A sign-in that is a fresh one for a decision is bound to the session that it was begun in.
ALTER TABLE sign_ins ADD COLUMN fresh_id UUID REFERENCES fresh_sign_ins (id) ON DELETE CASCADE;
ALTER TABLE sign_ins ADD COLUMN session_hash BYTEA;

CREATE TRIGGER stages_fresh_fixed BEFORE UPDATE ON stages FOR EACH ROW
  WHEN (NEW.fresh IS DISTINCT FROM OLD.fresh)
  EXECUTE FUNCTION latchkey_refuse('the rules of a submitted route are fixed');
CREATE TRIGGER fresh_sign_ins_begin BEFORE INSERT ON fresh_sign_ins FOR EACH ROW
  WHEN (NEW.proven_at IS NOT NULL OR NEW.refusals IS NOT NULL)
  EXECUTE FUNCTION latchkey_refuse('a fresh sign-in begins without an outcome');
CREATE TRIGGER fresh_sign_ins_fixed BEFORE UPDATE ON fresh_sign_ins FOR EACH ROW
  WHEN (OLD.proven_at IS NOT NULL OR OLD.refusals IS NOT NULL OR NEW.id IS DISTINCT FROM OLD.id OR NEW.stage_id IS DISTINCT FROM OLD.stage_id OR NEW.person_id IS DISTINCT FROM OLD.person_id OR NEW.account_id IS DISTINCT FROM OLD.account_id OR NEW.cap_seconds IS DISTINCT FROM OLD.cap_seconds OR NEW.note IS DISTINCT FROM OLD.note OR NEW.signed_hash IS DISTINCT FROM OLD.signed_hash OR NEW.context IS DISTINCT FROM OLD.context OR NEW.begun_at IS DISTINCT FROM OLD.begun_at)
  EXECUTE FUNCTION latchkey_refuse('what waits for a fresh sign-in stays as it was typed, and has one outcome');
CREATE TRIGGER fresh_sign_ins_kept BEFORE DELETE ON fresh_sign_ins FOR EACH ROW
  WHEN (OLD.proven_at IS NOT NULL)
  EXECUTE FUNCTION latchkey_refuse('a fresh sign-in that counted is never deleted');
CREATE TRIGGER fresh_sign_ins_whole BEFORE TRUNCATE ON fresh_sign_ins FOR EACH STATEMENT
  EXECUTE FUNCTION latchkey_refuse('a fresh sign-in that counted is never deleted');
CREATE FUNCTION decisions_proven() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (NEW.fresh_id IS NOT NULL OR (NEW.verdict = 'approve' AND EXISTS (SELECT 1 FROM stages WHERE stages.id = NEW.stage_id AND stages.fresh = TRUE))) AND (NOT EXISTS (SELECT 1 FROM fresh_sign_ins WHERE fresh_sign_ins.id = NEW.fresh_id AND fresh_sign_ins.person_id = NEW.decider_id AND fresh_sign_ins.stage_id = NEW.stage_id AND fresh_sign_ins.signed_hash = NEW.signed_hash AND fresh_sign_ins.cap_seconds IS NOT DISTINCT FROM NEW.cap_seconds AND fresh_sign_ins.proven_at IS NOT NULL) OR EXISTS (SELECT 1 FROM decisions WHERE decisions.fresh_id = NEW.fresh_id)) THEN
    RAISE EXCEPTION 'this yes wants a fresh sign-in of its own' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER decisions_proven BEFORE INSERT ON decisions FOR EACH ROW EXECUTE FUNCTION decisions_proven();
