#!/bin/sh
# Installs Debian's Chromium and Chinese fonts for the browser tests where it may; says plainly what is missing.
set -u
missing=""
command -v chromium >/dev/null 2>&1 || missing="chromium"
fc-list 2>/dev/null | grep -qi "noto.*cjk" || missing="$missing fonts-noto-cjk"
missing=$(echo $missing)
[ -n "$missing" ] || exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "installing $missing for the browser tests"
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $missing >/dev/null && exit 0
fi
echo "browser tests need $missing; without them they are skipped (with CI=true they fail)"
[ "${CI:-}" != "true" ]
