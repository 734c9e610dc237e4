-- The service's user and its database, made once, when the volume is new. The password stands in the address that the
-- service reads, in hexadecimal digits (make-secrets).
\set password `sed -E 's|^postgresql://vestibule:([0-9a-f]+)@.*|\1|' /run/secrets/database-url`
CREATE ROLE vestibule LOGIN PASSWORD :'password';
CREATE DATABASE vestibule OWNER vestibule;
