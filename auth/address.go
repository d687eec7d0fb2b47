package auth

import (
	"net/http"
	"net/netip"
	"strings"
)

// ClaimedAddress is where a request comes from by its own account: the first
// entry of X-Forwarded-For, which any client can make up, or the peer. It is
// zero when neither is an address. It serves to choose a way that suits the
// client, never to decide what it may do or to count what it did.
func ClaimedAddress(r *http.Request) netip.Addr {
	first, _, _ := strings.Cut(r.Header.Get("X-Forwarded-For"), ",")
	for _, text := range []string{strings.TrimSpace(first), clientAddress(r)} {
		// Some proxies add the port, with brackets around IPv6.
		if withPort, err := netip.ParseAddrPort(text); err == nil {
			return withPort.Addr().Unmap().WithZone("")
		}
		if a, err := netip.ParseAddr(text); err == nil {
			return a.Unmap().WithZone("")
		}
	}
	return netip.Addr{}
}
