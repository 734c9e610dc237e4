#!/bin/bash
# dump.sh DIRECTORY: writes a plain dump of the database into DIRECTORY, as vestibule-TIME.sql.gz, to which newest.sql.gz leads.
# Keeps thirteen earlier ones. A dump that fails leaves nothing behind that has such a name.
#
# The file that VESTIBULE_DATABASE_URL_FILE names holds the address. Its password is in no command line, which others may read.
set -eu -o pipefail
umask 077

url=$(cat "$VESTIBULE_DATABASE_URL_FILE")
rest=${url#*://}
host=${rest%%[/?]*}
case $rest in
  *[?\&]password=*)
    echo "dump.sh: write the password of $VESTIBULE_DATABASE_URL_FILE before the host: postgresql://USER:PASSWORD@HOST/NAME" >&2
    exit 1
    ;;
esac
case $host in
  *:*@*)
    rest=${host%%:*}@${host##*@}${rest#"$host"}
    password=${host#*:} password=${password%@*} password=${password//\\/\\\\}
    PGPASSWORD=$(printf '%b' "${password//%/\\x}") # it is percent-encoded in the address
    export PGPASSWORD
    ;;
esac

mkdir -p "$1"
cd "$1"
rm -f -- *.unfinished
printf '%s\n' vestibule-*.sql.gz | head -n -13 | xargs --no-run-if-empty rm -f --
name=vestibule-$(date --utc +%Y%m%dT%H%M%SZ)
pg_dump --dbname="postgresql://$rest" --no-owner --no-privileges | gzip >"$name.unfinished"
sync "$name.unfinished"
mv "$name.unfinished" "$name.sql.gz"
ln --symbolic "$name.sql.gz" link.unfinished
mv --no-target-directory link.unfinished newest.sql.gz
echo "Wrote $1/$name.sql.gz"
