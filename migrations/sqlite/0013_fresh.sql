-- A fresh sign-in for decisions that matter.

-- Whether a yes in this stage counts only with a fresh sign-in; fixed with the route.
ALTER TABLE stages ADD COLUMN fresh INTEGER NOT NULL DEFAULT 0 CHECK (fresh IN (0, 1));

-- What waits for a fresh sign-in, exactly as it was typed; and what came of it: proven, once, together with the vote that it
-- is for, or refused. Only a yes waits for one. Times are those of the system, as for sessions.
CREATE TABLE fresh_sign_ins (
  id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
  stage_id BLOB NOT NULL REFERENCES stages (id) CHECK (length(stage_id) = 16),
  person_id BLOB NOT NULL REFERENCES persons (id) CHECK (length(person_id) = 16),
  account_id BLOB NOT NULL REFERENCES accounts (id) CHECK (length(account_id) = 16),
  cap_seconds INTEGER CHECK (cap_seconds > 0),
  note TEXT NOT NULL,
  signed_hash TEXT NOT NULL,
  context TEXT,
  begun_at INTEGER NOT NULL,
  signed_in_at INTEGER,
  proven_at INTEGER,
  refusals TEXT,
  CHECK ((proven_at IS NULL) = (signed_in_at IS NULL)),
  CHECK (proven_at IS NULL OR refusals IS NULL),
  CHECK (proven_at - begun_at < 300000000)
) STRICT;
CREATE INDEX fresh_sign_ins_begun ON fresh_sign_ins (begun_at) WHERE proven_at IS NULL;

-- A fresh sign-in counts for one decision.
ALTER TABLE decisions ADD COLUMN fresh_id BLOB REFERENCES fresh_sign_ins (id) CHECK (length(fresh_id) = 16);
CREATE UNIQUE INDEX decisions_fresh ON decisions (fresh_id) WHERE fresh_id IS NOT NULL;

-- A sign-in that is a fresh one for a decision is bound to the session that it was begun in.
ALTER TABLE sign_ins ADD COLUMN fresh_id BLOB REFERENCES fresh_sign_ins (id) ON DELETE CASCADE CHECK (length(fresh_id) = 16);
ALTER TABLE sign_ins ADD COLUMN session_hash BLOB;

CREATE TRIGGER stages_fresh_fixed BEFORE UPDATE ON stages
  WHEN NEW.fresh IS DISTINCT FROM OLD.fresh
BEGIN
  SELECT RAISE(ABORT, 'the rules of a submitted route are fixed');
END;
CREATE TRIGGER fresh_sign_ins_begin BEFORE INSERT ON fresh_sign_ins
  WHEN NEW.proven_at IS NOT NULL OR NEW.refusals IS NOT NULL
BEGIN
  SELECT RAISE(ABORT, 'a fresh sign-in begins without an outcome');
END;
CREATE TRIGGER fresh_sign_ins_fixed BEFORE UPDATE ON fresh_sign_ins
  WHEN OLD.proven_at IS NOT NULL OR OLD.refusals IS NOT NULL OR NEW.id IS DISTINCT FROM OLD.id OR NEW.stage_id IS DISTINCT FROM OLD.stage_id OR NEW.person_id IS DISTINCT FROM OLD.person_id OR NEW.account_id IS DISTINCT FROM OLD.account_id OR NEW.cap_seconds IS DISTINCT FROM OLD.cap_seconds OR NEW.note IS DISTINCT FROM OLD.note OR NEW.signed_hash IS DISTINCT FROM OLD.signed_hash OR NEW.context IS DISTINCT FROM OLD.context OR NEW.begun_at IS DISTINCT FROM OLD.begun_at
BEGIN
  SELECT RAISE(ABORT, 'what waits for a fresh sign-in stays as it was typed, and has one outcome');
END;
CREATE TRIGGER fresh_sign_ins_kept BEFORE DELETE ON fresh_sign_ins
  WHEN OLD.proven_at IS NOT NULL
BEGIN
  SELECT RAISE(ABORT, 'a fresh sign-in that counted is never deleted');
END;
CREATE TRIGGER fresh_sign_ins_whole BEFORE INSERT ON fresh_sign_ins
  WHEN EXISTS (SELECT 1 FROM fresh_sign_ins WHERE id = NEW.id)
BEGIN
  SELECT RAISE(ABORT, 'a fresh sign-in that counted is never deleted');
END;
CREATE TRIGGER decisions_proven BEFORE INSERT ON decisions
  WHEN (NEW.fresh_id IS NOT NULL OR (NEW.verdict = 'approve' AND EXISTS (SELECT 1 FROM stages WHERE stages.id = NEW.stage_id AND stages.fresh = TRUE))) AND (NOT EXISTS (SELECT 1 FROM fresh_sign_ins WHERE fresh_sign_ins.id = NEW.fresh_id AND fresh_sign_ins.person_id = NEW.decider_id AND fresh_sign_ins.stage_id = NEW.stage_id AND fresh_sign_ins.signed_hash = NEW.signed_hash AND fresh_sign_ins.cap_seconds IS NOT DISTINCT FROM NEW.cap_seconds AND fresh_sign_ins.proven_at IS NOT NULL) OR EXISTS (SELECT 1 FROM decisions WHERE decisions.fresh_id = NEW.fresh_id))
BEGIN
  SELECT RAISE(ABORT, 'this yes wants a fresh sign-in of its own');
END;
