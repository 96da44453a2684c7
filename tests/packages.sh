#!/bin/sh
# Installs what the tests run beside housecall: the real nginx, uWSGI, Flask and PostgreSQL, from Debian's or Ubuntu's packages.
set -eu

packages="gcc make nginx-light uwsgi-core uwsgi-plugin-python3 python3-flask python3-django python3-dj-database-url python3-sqlalchemy python3-psycopg2 postgresql pgbouncer openssl strace procps systemd-journal-remote"

missing=""
for package in $packages; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ]; then sudo=""; else sudo="sudo"; fi

# The packages would start nginx and a PostgreSQL cluster at once; the tests start their own, on free ports.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' | $sudo tee "$policy" >/dev/null
    $sudo chmod 755 "$policy"
    trap '$sudo rm -f "$policy"' EXIT
fi

echo "installing:$missing"
$sudo apt-get update -qq
$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
