#!/bin/bash
# Installs the programs that the tests drive: a mailbox, a relay, a database, an office program, a PDF renderer; and the samples
# that they read.
# Does nothing, and fast, when all are there. Debian and its kin; needs root.
set -euo pipefail

missing=()
need() {  # need PACKAGE PATH...: the package is wanted unless one of the paths is executable
    local package=$1 path
    shift
    for path in "$@"; do
        if [ -x "$path" ]; then return; fi
    done
    missing+=("$package")
}

need dovecot-imapd /usr/lib/dovecot/imap
need dovecot-lmtpd /usr/lib/dovecot/lmtp
need postfix /usr/lib/postfix/sbin/master
need postgresql /usr/lib/postgresql/*/bin/initdb
need libreoffice-calc /usr/lib/libreoffice/program/soffice.bin
need poppler-utils /usr/bin/pdftoppm
# A library is not executable: looked for by its name.
if ! ls /usr/lib/*/libarchive.so.13 >/dev/null 2>&1; then
    missing+=(libarchive13)
fi
# Notices of failure from the real world, which the wheel of flufl.bounce leaves out; no program, looked for by its folder.
if [ ! -d /usr/lib/python3/dist-packages/flufl/bounce/tests/data ]; then
    missing+=(python3-flufl.bounce)
fi
# Python's own e-mail tests come with every build but Debian's.
python=${PYTHON:-python3}
if ! "$python" -c 'import test.test_email' 2>/dev/null && "$python" -c 'import sys; sys.exit(sys.base_prefix != "/usr")'; then
    missing+=("$("$python" -c 'import sys; print(f"libpython{sys.version_info[0]}.{sys.version_info[1]}-testsuite")')")
fi
# Without a Chinese font a rendered form is a page of boxes.
if [ ! -d /usr/share/fonts/opentype/noto ] || ! ls /usr/share/fonts/opentype/noto/*CJK* >/dev/null 2>&1; then
    missing+=(fonts-noto-cjk)
fi

if [ ${#missing[@]} = 0 ]; then exit 0; fi

if [ "$(id -u)" != 0 ]; then
    echo "install-servers: as root, run: apt-get install ${missing[*]}" >&2
    exit 1
fi
if ! command -v apt-get >/dev/null; then
    echo "install-servers: no apt-get here; install by hand: ${missing[*]}" >&2
    exit 1
fi

# The packages would start services of their own; the tests start private ones on free ports.
policy=/usr/sbin/policy-rc.d
made_policy=
if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
    made_policy=yes
fi
log=$(mktemp)
tidy() {
    if [ -n "$made_policy" ]; then rm -f "$policy"; fi
    rm -f "$log"
}
trap tidy EXIT

echo "install-servers: installing ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
apt() {
    if ! apt-get -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 "$@" </dev/null >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        echo "install-servers: apt-get $1 failed (see above); wanted: ${missing[*]}" >&2
        exit 1
    fi
}
apt update
apt install -y --no-install-recommends "${missing[@]}"
echo "install-servers: done"
