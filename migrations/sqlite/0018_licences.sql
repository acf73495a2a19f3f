-- Licences of the tenant as rights of the catalogue.

-- SQLite changes a check by this procedure of its documentation (ALTER TABLE, section 7).
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = replace(sql, '''app_role''', '''app_role'', ''licence''') WHERE type = 'table' AND name = 'entitlements';
PRAGMA writable_schema = RESET;
