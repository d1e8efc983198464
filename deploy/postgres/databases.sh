#!/bin/bash
# Runs once, when the volume is empty: one database for the institute's rows and one for trials, owned by a user who
# may do nothing else.
set -euo pipefail
psql --set ON_ERROR_STOP=1 --set password="$(cat /run/secrets/erp_password)" --username "$POSTGRES_USER" --dbname postgres <<'SQL'
CREATE ROLE jodo LOGIN PASSWORD :'password';
CREATE DATABASE erp OWNER jodo;
CREATE DATABASE trial OWNER jodo;
REVOKE CONNECT ON DATABASE erp, trial FROM PUBLIC;
SQL
