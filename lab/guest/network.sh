# For sourcing: what every guest does with its network card.

# The card of driver $1 comes up as eth0, with its carrier.
card_up() {
	modprobe "$1"
	until [ -e /sys/class/net/eth0 ]; do sleep 0.02; done
	ip link set eth0 up
	until [ "$(cat /sys/class/net/eth0/carrier)" = 1 ]; do sleep 0.02; done
}
