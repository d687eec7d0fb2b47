package auth_test

import (
	"net/http"
	"testing"

	"entrepot/auth"
)

func TestClaimedAddress(t *testing.T) {
	for _, test := range []struct{ name, peer, forwarded, want string }{
		{"peer", "192.0.2.1:99", "", "192.0.2.1"},
		{"peer on IPv6 with a zone", "[fe80::1%eth0]:99", "", "fe80::1"},
		{"IPv4 in IPv6", "[::ffff:192.0.2.1]:99", "", "192.0.2.1"},
		{"proxy", "10.0.0.1:99", "192.0.2.7", "192.0.2.7"},
		{"proxies", "10.0.0.1:99", " 2001:db8::7 , 10.0.0.2", "2001:db8::7"},
		{"proxy that adds ports", "10.0.0.1:99", "[2001:db8::7]:55", "2001:db8::7"},
		{"proxy that hides the client", "10.0.0.1:99", "unknown", "10.0.0.1"},
		{"neither", "@", "", "invalid IP"},
	} {
		r := &http.Request{RemoteAddr: test.peer, Header: http.Header{}}
		if test.forwarded != "" {
			r.Header.Set("X-Forwarded-For", test.forwarded)
		}
		if got := auth.ClaimedAddress(r).String(); got != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}
}
