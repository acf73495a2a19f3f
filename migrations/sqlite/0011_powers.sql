-- The portal's own powers as rights of the catalogue: their target is this database, and a grant makes a role effective.

-- SQLite changes a check by this procedure of its documentation (ALTER TABLE, section 7).
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = replace(sql, '''graph''', '''graph'', ''portal''') WHERE type = 'table' AND name = 'targets';
UPDATE sqlite_schema SET sql = replace(sql, '''app_role''', '''app_role'', ''portal_role''') WHERE type = 'table' AND name = 'entitlements';
PRAGMA writable_schema = RESET;

-- One row for each way in which an account holds a role.
CREATE TABLE portal_roles_by_source (
  account_id BLOB NOT NULL REFERENCES accounts (id) CHECK (length(account_id) = 16),
  role TEXT NOT NULL CHECK (role IN ('administrator', 'security', 'auditor', 'catalogue_owner', 'operator', 'hr')),
  source TEXT NOT NULL CHECK (source IN ('directory', 'configuration', 'grant')),
  since INTEGER NOT NULL,
  PRIMARY KEY (account_id, role, source)
) STRICT;
INSERT INTO portal_roles_by_source (account_id, role, source, since) SELECT account_id, role, source, since FROM portal_roles;
DROP TABLE portal_roles;
ALTER TABLE portal_roles_by_source RENAME TO portal_roles;
CREATE INDEX portal_roles_role ON portal_roles (role);

-- What the directory and the configuration say is taken down as it is, and counts on neither side of a pair; what is
-- granted here never makes one.
CREATE TRIGGER portal_roles_never_together BEFORE INSERT ON portal_roles
  WHEN NEW.source = 'grant' AND EXISTS (SELECT 1 FROM portal_roles r JOIN accounts a ON a.id = r.account_id JOIN accounts b ON b.person_id = a.person_id WHERE b.id = NEW.account_id AND r.role <> NEW.role AND (r.role = 'auditor' OR NEW.role = 'auditor' OR (NEW.role = 'security' AND r.role IN ('administrator', 'operator')) OR (r.role = 'security' AND NEW.role IN ('administrator', 'operator'))))
BEGIN
  SELECT RAISE(ABORT, 'roles that exclude each other are never given together');
END;
CREATE TRIGGER portal_roles_granted BEFORE INSERT ON portal_roles
  WHEN NEW.source = 'grant' AND NOT EXISTS (SELECT 1 FROM grants g JOIN grant_entitlements x ON x.grant_id = g.id AND x.removed_at IS NULL JOIN entitlements e ON e.id = x.entitlement_id WHERE g.state = 'active' AND g.account_id = NEW.account_id AND e.kind = 'portal_role' AND e.external_id = NEW.role)
BEGIN
  SELECT RAISE(ABORT, 'a role by grant needs a grant that covers now');
END;
CREATE TRIGGER portal_roles_fixed BEFORE UPDATE ON portal_roles
BEGIN
  SELECT RAISE(ABORT, 'a role is given and taken, never rewritten');
END;
