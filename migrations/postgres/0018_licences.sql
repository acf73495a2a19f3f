-- Licences of the tenant as rights of the catalogue.

-- A check is widened, whatever stands in it by now.
DO $$
DECLARE
  was TEXT;
BEGIN
  SELECT pg_get_expr(conbin, conrelid) INTO STRICT was FROM pg_constraint
    WHERE conname = 'entitlements_kind_check' AND conrelid = 'entitlements'::regclass;
  ALTER TABLE entitlements DROP CONSTRAINT entitlements_kind_check;
  EXECUTE format('ALTER TABLE entitlements ADD CONSTRAINT entitlements_kind_check CHECK (%s OR kind = ''licence'')', was);
END
$$;
