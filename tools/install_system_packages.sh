#!/bin/sh
# Installs Debian packages for the tests, as root: sh tools/install_system_packages.sh mosquitto postgresql ...
# The tests start what they need by themselves, so the packages' own services are neither started now nor at boot.
set -eu
export DEBIAN_FRONTEND=noninteractive

policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    trap 'exit 1' HUP INT TERM
    printf '#!/bin/sh\nexit 101\n' > "$policy"
    chmod 755 "$policy"
fi

# Offline, or behind a mirror that is away, the lists that are here may still do: the installation says if not.
apt-get -q update || echo "setup: the package lists could not be renewed; trying with those that are here" >&2
apt-get -q install -y --no-install-recommends -o DPkg::Lock::Timeout=120 "$@"

command -v systemctl > /dev/null || exit 0
for package in "$@"; do
    case "$package" in
        mosquitto | postgresql | gammu-smsd) systemctl disable "$package.service" ;;
    esac
done
