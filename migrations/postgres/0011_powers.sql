-- The portal's own powers as rights of the catalogue: their target is this database, and a grant makes a role effective.

-- A check is widened, whatever stands in it by now.
DO $$
DECLARE
  wider RECORD;
  was TEXT;
BEGIN
  FOR wider IN SELECT * FROM (VALUES
    ('targets', 'targets_kind_check', 'kind = ''portal'''),
    ('entitlements', 'entitlements_kind_check', 'kind = ''portal_role''')
  ) AS w (on_table, name, more) LOOP
    SELECT pg_get_expr(conbin, conrelid) INTO STRICT was FROM pg_constraint
      WHERE conname = wider.name AND conrelid = wider.on_table::regclass;
    EXECUTE format('ALTER TABLE %I DROP CONSTRAINT %I', wider.on_table, wider.name);
    EXECUTE format('ALTER TABLE %I ADD CONSTRAINT %I CHECK (%s OR %s)', wider.on_table, wider.name, was, wider.more);
  END LOOP;
END
$$;

-- One row for each way in which an account holds a role.
ALTER TABLE portal_roles DROP CONSTRAINT portal_roles_source_check;
ALTER TABLE portal_roles ADD CONSTRAINT portal_roles_source_check CHECK (source IN ('directory', 'configuration', 'grant'));
ALTER TABLE portal_roles DROP CONSTRAINT portal_roles_pkey;
ALTER TABLE portal_roles ADD PRIMARY KEY (account_id, role, source);

-- What the directory and the configuration say is taken down as it is, and counts on neither side of a pair; what is
-- granted here never makes one. A condition of a trigger holds no query here, so each has its function.
CREATE FUNCTION portal_roles_never_together() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.source = 'grant' AND EXISTS (SELECT 1 FROM portal_roles r JOIN accounts a ON a.id = r.account_id JOIN accounts b ON b.person_id = a.person_id WHERE b.id = NEW.account_id AND r.role <> NEW.role AND (r.role = 'auditor' OR NEW.role = 'auditor' OR (NEW.role = 'security' AND r.role IN ('administrator', 'operator')) OR (r.role = 'security' AND NEW.role IN ('administrator', 'operator')))) THEN
    RAISE EXCEPTION 'roles that exclude each other are never given together' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER portal_roles_never_together BEFORE INSERT ON portal_roles FOR EACH ROW
  EXECUTE FUNCTION portal_roles_never_together();
CREATE FUNCTION portal_roles_granted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.source = 'grant' AND NOT EXISTS (SELECT 1 FROM grants g JOIN grant_entitlements x ON x.grant_id = g.id AND x.removed_at IS NULL JOIN entitlements e ON e.id = x.entitlement_id WHERE g.state = 'active' AND g.account_id = NEW.account_id AND e.kind = 'portal_role' AND e.external_id = NEW.role) THEN
    RAISE EXCEPTION 'a role by grant needs a grant that covers now' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER portal_roles_granted BEFORE INSERT ON portal_roles FOR EACH ROW
  EXECUTE FUNCTION portal_roles_granted();
CREATE TRIGGER portal_roles_fixed BEFORE UPDATE ON portal_roles FOR EACH ROW
  EXECUTE FUNCTION latchkey_refuse('a role is given and taken, never rewritten');
