-- More than one kind of target: who an account is at a target, rights that are named in the files alone, and what people do by
-- hand.

-- SQLite changes a check by this procedure of its documentation (ALTER TABLE, section 7).
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = replace(sql, 'kind IN (''graph''', 'kind IN (''graph'', ''scim'', ''ldap'', ''webhook'', ''manual''')
  WHERE type = 'table' AND name = 'targets';
UPDATE sqlite_schema SET sql = replace(sql, '''app_role''', '''app_role'', ''scim_group'', ''ldap_group'', ''webhook_right'', ''manual_right''')
  WHERE type = 'table' AND name = 'entitlements';
UPDATE sqlite_schema SET sql = replace(sql, '''already''', '''already'', ''pending''') WHERE type = 'table' AND name = 'operations';
PRAGMA writable_schema = RESET;

-- What is done by hand: what to do, and within which time. Zero where a program does it.
ALTER TABLE entitlements ADD COLUMN instructions TEXT NOT NULL DEFAULT '';
ALTER TABLE entitlements ADD COLUMN due_within_seconds INTEGER NOT NULL DEFAULT 0;

-- An account at a target: the target's own id, which never changes, and what it was last called there.
CREATE TABLE target_accounts (
  target_id BLOB NOT NULL REFERENCES targets (id) CHECK (length(target_id) = 16),
  account_id BLOB NOT NULL REFERENCES accounts (id) CHECK (length(account_id) = 16),
  external_id TEXT NOT NULL,
  user_name TEXT NOT NULL DEFAULT '',
  seen_at INTEGER NOT NULL,
  PRIMARY KEY (target_id, account_id),
  UNIQUE (target_id, external_id)
) STRICT;

-- What somebody has to do by hand. `dropped`: nobody needs it any more. Never closed by whom it is about.
CREATE TABLE tasks (
  id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
  assignment_id BLOB NOT NULL REFERENCES assignments (id) CHECK (length(assignment_id) = 16),
  person_id BLOB NOT NULL REFERENCES persons (id) CHECK (length(person_id) = 16),
  entitlement_id BLOB NOT NULL REFERENCES entitlements (id) CHECK (length(entitlement_id) = 16),
  call TEXT NOT NULL CHECK (call IN ('add', 'remove')),
  state TEXT NOT NULL CHECK (state IN ('open', 'cannot', 'done', 'dropped')),
  due_at INTEGER NOT NULL,
  reminders INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL,
  closed_at INTEGER,
  closed_by BLOB REFERENCES persons (id) CHECK (length(closed_by) = 16 AND closed_by <> person_id),
  note TEXT NOT NULL DEFAULT '',
  CHECK ((state IN ('done', 'cannot')) = (closed_by IS NOT NULL)),
  CHECK ((state = 'open') = (closed_at IS NULL)),
  CHECK (state <> 'cannot' OR note <> '')
) STRICT;
CREATE UNIQUE INDEX tasks_one ON tasks (assignment_id) WHERE state IN ('open', 'cannot');
CREATE INDEX tasks_due ON tasks (due_at, id) WHERE state IN ('open', 'cannot');
CREATE INDEX tasks_entitlement ON tasks (entitlement_id, due_at, id) WHERE state IN ('open', 'cannot');
CREATE TRIGGER tasks_over BEFORE UPDATE ON tasks
  WHEN OLD.state IN ('done', 'dropped')
BEGIN
  SELECT RAISE(ABORT, 'what was done by hand stays as it was confirmed');
END;
CREATE TRIGGER tasks_kept BEFORE DELETE ON tasks
BEGIN
  SELECT RAISE(ABORT, 'tasks are never deleted');
END;
CREATE TRIGGER tasks_whole BEFORE INSERT ON tasks
  WHEN EXISTS (SELECT 1 FROM tasks WHERE id = NEW.id OR (assignment_id = NEW.assignment_id AND state IN ('open', 'cannot') AND NEW.state IN ('open', 'cannot')))
BEGIN
  SELECT RAISE(ABORT, 'tasks are never deleted');
END;

-- What somebody last said is so at a target that no program reads: a word, weaker than a read. Never of one's own access.
CREATE TABLE confirmations (
  assignment_id BLOB NOT NULL PRIMARY KEY REFERENCES assignments (id) CHECK (length(assignment_id) = 16),
  person_id BLOB NOT NULL REFERENCES persons (id) CHECK (length(person_id) = 16),
  present INTEGER NOT NULL CHECK (present IN (0, 1)),
  via TEXT NOT NULL CHECK (via IN ('task', 'listing')),
  said_by BLOB NOT NULL REFERENCES persons (id) CHECK (length(said_by) = 16 AND said_by <> person_id),
  said_at INTEGER NOT NULL
) STRICT;
