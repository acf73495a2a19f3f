-- What the targets hold against what the portal believes: scans, what they found, and what stopped them.

-- What becomes of a right that somebody gave out of band.
ALTER TABLE entitlements ADD COLUMN drift TEXT NOT NULL DEFAULT 'report' CHECK (drift IN ('report', 'adopt', 'repair'));

-- A finding may be about an account of the target that belongs to nobody here.
-- The check is widened, whatever stands in it by now.
DO $$
DECLARE
  was TEXT;
BEGIN
  SELECT pg_get_expr(conbin, conrelid) INTO STRICT was FROM pg_constraint
    WHERE conname = 'findings_kind_check' AND conrelid = 'findings'::regclass;
  ALTER TABLE findings DROP CONSTRAINT findings_kind_check;
  EXECUTE format('ALTER TABLE findings ADD CONSTRAINT findings_kind_check CHECK (%s OR kind IN (''out_of_band'', ''vanished''))', was);
END
$$;
ALTER TABLE findings ALTER COLUMN person_id DROP NOT NULL;
ALTER TABLE findings ADD COLUMN holder TEXT CHECK (holder <> '');
CREATE INDEX findings_entitlement ON findings (entitlement_id) WHERE person_id IS NULL AND state <> 'closed';
CREATE TRIGGER findings_holder_begin BEFORE INSERT ON findings FOR EACH ROW
  WHEN ((NEW.person_id IS NULL) <> (NEW.holder IS NOT NULL)
    OR (NEW.holder IS NOT NULL AND (NEW.kind <> 'out_of_band' OR NEW.entitlement_id IS NULL)))
  EXECUTE FUNCTION latchkey_refuse('a finding is about a person, or about an account that belongs to nobody');
CREATE TRIGGER findings_holder_fixed BEFORE UPDATE ON findings FOR EACH ROW
  WHEN (NEW.holder IS DISTINCT FROM OLD.holder)
  EXECUTE FUNCTION latchkey_refuse('what was found, and by when it is due, is fixed');

-- One pass over a target: the newest. It has no end while it is under way.
CREATE TABLE scans (
  target_id UUID NOT NULL PRIMARY KEY REFERENCES targets (id),
  begun_at TIMESTAMPTZ NOT NULL,
  ended_at TIMESTAMPTZ,
  problem TEXT
);

-- What the newest pass said of a right, or why it changed nothing; and how many changes an operator lets through the next time.
CREATE TABLE scanned_rights (
  entitlement_id UUID NOT NULL PRIMARY KEY REFERENCES entitlements (id),
  scanned_at TIMESTAMPTZ NOT NULL,
  listed BIGINT NOT NULL,
  believed BIGINT NOT NULL,
  given BIGINT NOT NULL,
  vanished BIGINT NOT NULL,
  changes BIGINT NOT NULL,
  stopped TEXT CHECK (stopped IN ('empty', 'not_whole', 'too_many', 'unread')),
  detail TEXT NOT NULL DEFAULT '',
  allowed BIGINT NOT NULL DEFAULT 0 CHECK (allowed >= 0),
  allowed_by UUID REFERENCES persons (id),
  CHECK ((allowed > 0) = (allowed_by IS NOT NULL))
);
CREATE INDEX scanned_rights_stopped ON scanned_rights (scanned_at, entitlement_id) WHERE stopped IS NOT NULL;

-- Who holds a right that no grant explains, by the target's own id.
CREATE TABLE drift (
  entitlement_id UUID NOT NULL REFERENCES entitlements (id),
  holder TEXT NOT NULL CHECK (holder <> ''),
  account_id UUID REFERENCES accounts (id),
  person_id UUID REFERENCES persons (id),
  found_at TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (entitlement_id, holder),
  CHECK ((account_id IS NULL) = (person_id IS NULL))
);
CREATE INDEX drift_person ON drift (person_id);

-- A right that was taken away out of band: when it was put back, and since when it is not.
CREATE TABLE vanished (
  assignment_id UUID NOT NULL PRIMARY KEY REFERENCES assignments (id),
  put_back_at TIMESTAMPTZ,
  withheld_at TIMESTAMPTZ
);
