-- More than one kind of target: who an account is at a target, rights that are named in the files alone, and what people do by
-- hand.

-- A check is widened, whatever stands in it by now.
DO $$
DECLARE
  wider RECORD;
  was TEXT;
BEGIN
  FOR wider IN SELECT * FROM (VALUES
    ('targets', 'targets_kind_check', 'kind IN (''scim'', ''ldap'', ''webhook'', ''manual'')'),
    ('entitlements', 'entitlements_kind_check', 'kind IN (''scim_group'', ''ldap_group'', ''webhook_right'', ''manual_right'')'),
    ('operations', 'operations_outcome_check', 'outcome = ''pending''')
  ) AS w (on_table, name, more) LOOP
    SELECT pg_get_expr(conbin, conrelid) INTO STRICT was FROM pg_constraint
      WHERE conname = wider.name AND conrelid = wider.on_table::regclass;
    EXECUTE format('ALTER TABLE %I DROP CONSTRAINT %I', wider.on_table, wider.name);
    EXECUTE format('ALTER TABLE %I ADD CONSTRAINT %I CHECK (%s OR %s)', wider.on_table, wider.name, was, wider.more);
  END LOOP;
END
$$;

-- What is done by hand: what to do, and within which time. Zero where a program does it.
ALTER TABLE entitlements ADD COLUMN instructions TEXT NOT NULL DEFAULT '';
ALTER TABLE entitlements ADD COLUMN due_within_seconds BIGINT NOT NULL DEFAULT 0;

-- An account at a target: the target's own id, which never changes, and what it was last called there.
CREATE TABLE target_accounts (
  target_id UUID NOT NULL REFERENCES targets (id),
  account_id UUID NOT NULL REFERENCES accounts (id),
  external_id TEXT NOT NULL,
  user_name TEXT NOT NULL DEFAULT '',
  seen_at TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (target_id, account_id),
  UNIQUE (target_id, external_id)
);

-- What somebody has to do by hand. `dropped`: nobody needs it any more. Never closed by whom it is about.
CREATE TABLE tasks (
  id UUID NOT NULL PRIMARY KEY,
  assignment_id UUID NOT NULL REFERENCES assignments (id),
  person_id UUID NOT NULL REFERENCES persons (id),
  entitlement_id UUID NOT NULL REFERENCES entitlements (id),
  call TEXT NOT NULL CHECK (call IN ('add', 'remove')),
  state TEXT NOT NULL CHECK (state IN ('open', 'cannot', 'done', 'dropped')),
  due_at TIMESTAMPTZ NOT NULL,
  reminders BIGINT NOT NULL DEFAULT 0,
  created_at TIMESTAMPTZ NOT NULL,
  closed_at TIMESTAMPTZ,
  closed_by UUID REFERENCES persons (id) CHECK (closed_by <> person_id),
  note TEXT NOT NULL DEFAULT '',
  CHECK ((state IN ('done', 'cannot')) = (closed_by IS NOT NULL)),
  CHECK ((state = 'open') = (closed_at IS NULL)),
  CHECK (state <> 'cannot' OR note <> '')
);
CREATE UNIQUE INDEX tasks_one ON tasks (assignment_id) WHERE state IN ('open', 'cannot');
CREATE INDEX tasks_due ON tasks (due_at, id) WHERE state IN ('open', 'cannot');
CREATE INDEX tasks_entitlement ON tasks (entitlement_id, due_at, id) WHERE state IN ('open', 'cannot');
CREATE TRIGGER tasks_over BEFORE UPDATE ON tasks FOR EACH ROW
  WHEN (OLD.state IN ('done', 'dropped'))
  EXECUTE FUNCTION latchkey_refuse('what was done by hand stays as it was confirmed');
CREATE TRIGGER tasks_kept BEFORE DELETE ON tasks FOR EACH ROW
  EXECUTE FUNCTION latchkey_refuse('tasks are never deleted');
CREATE TRIGGER tasks_whole BEFORE TRUNCATE ON tasks FOR EACH STATEMENT
  EXECUTE FUNCTION latchkey_refuse('tasks are never deleted');

-- What somebody last said is so at a target that no program reads: a word, weaker than a read. Never of one's own access.
CREATE TABLE confirmations (
  assignment_id UUID NOT NULL PRIMARY KEY REFERENCES assignments (id),
  person_id UUID NOT NULL REFERENCES persons (id),
  present BOOLEAN NOT NULL,
  via TEXT NOT NULL CHECK (via IN ('task', 'listing')),
  said_by UUID NOT NULL REFERENCES persons (id) CHECK (said_by <> person_id),
  said_at TIMESTAMPTZ NOT NULL
);
