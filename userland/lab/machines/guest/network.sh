# SPDX-License-Identifier: GPL-2.0
# For sourcing: what every guest does with its network card.

# The card of driver $1 comes up as eth0. Its carrier comes later: see `settle`.
card_up() {
	modprobe "$1"
	until [ -e /sys/class/net/eth0 ]; do sleep 0.02; done
	ip link set eth0 up
}
