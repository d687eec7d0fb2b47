package server_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"entrepot/access"
	"entrepot/server"
	"entrepot/server/servertest"
)

// The matrix tries every route of every package type as everybody on owners of
// every visibility. What each may do follows from the route's action alone;
// the table of samples (samples_test.go) only says how to call a route, and a
// route that is missing from it fails the test.

// verdict is what the gate answers.
type verdict string

const (
	pass verdict = "pass" // the route's own answer
	ask  verdict = "401"
	hide verdict = "404"
	deny verdict = "403"
)

// people are the columns of the table: who asks, on an owner of each
// visibility. "rea" reads, "wim" writes, "ann" owns, "out" owns another
// organization, "root" administers the site.
var people = []string{"", "out", "rea", "wim", "ann", "root"}

var expected = map[access.Visibility]map[access.Action][]verdict{
	access.Public: {
		access.Read:   {pass, pass, pass, pass, pass, pass},
		access.Write:  {ask, deny, deny, pass, pass, pass},
		access.Delete: {ask, deny, deny, pass, pass, pass},
		// The tokens lack the scope that administering an owner needs.
		access.Administer: {ask, deny, deny, deny, deny, deny},
	},
	access.Limited: {
		access.Read:   {ask, pass, pass, pass, pass, pass},
		access.Write:  {ask, deny, deny, pass, pass, pass},
		access.Delete: {ask, deny, deny, pass, pass, pass},

		access.Administer: {ask, deny, deny, deny, deny, deny},
	},
	access.Private: {
		access.Read:   {ask, hide, pass, pass, pass, pass},
		access.Write:  {ask, hide, deny, pass, pass, pass},
		access.Delete: {ask, hide, deny, pass, pass, pass},

		access.Administer: {ask, hide, deny, deny, deny, deny},
	},
}

// pathToken stands in a path for the caller's token.
const pathToken = "PATH-TOKEN"

// sample is how to call one route.
type sample struct {
	// path is the request's, for an owner and a package that were seeded.
	path func(owner, name string) string
	// body and headers are the request's.
	body    func(owner, name string) string
	headers []string
	// unseeded routes are tried without a package of the try's own: to read
	// one index after each of many publishes takes a second each time.
	unseeded bool
	// status is the answer of a request that passes.
	status int
}

// seeds publish one version of a package of each type, as ann.
var seeds = map[string]func(t *testing.T, s *servertest.Server, owner, name string){}

// samples are filled by samples_test.go: "type METHOD pattern" to a call.
var samples = map[string]sample{}

// open lists the routes that need no right, with the answers everybody gets.
var open = map[string]map[string]int{}

func TestEveryRouteAsEverybody(t *testing.T) {
	s := servertest.New(t)
	for _, vis := range []access.Visibility{access.Public, access.Limited, access.Private} {
		s.Organization(t, ownerOf(vis), vis)
	}
	n := 0
	for _, typ := range server.PackageTypes() {
		for _, route := range typ.Routes {
			key := fmt.Sprintf("%s %s %s", typ.Name, route.Method, route.Pattern)
			call, ok := samples[key]
			if !ok {
				t.Errorf("no sample of the route %q", key)
				continue
			}
			for _, vis := range []access.Visibility{access.Public, access.Limited, access.Private} {
				for i, login := range people {
					n++
					name := fmt.Sprintf("p%d", n)
					if seed := seeds[typ.Name]; seed != nil && !call.unseeded {
						seed(t, s, ownerOf(vis), name)
					}
					want := call.status
					if route.Open {
						want = open[key][login]
					} else if v := expected[vis][route.Action][i]; v != pass {
						fmt.Sscan(string(v), &want)
					}
					body := ""
					if call.body != nil {
						body = call.body(ownerOf(vis), name)
					}
					path, as := call.path(ownerOf(vis), name), login
					if strings.Contains(path, pathToken) {
						if login == "" {
							continue
						}
						path = strings.ReplaceAll(path, pathToken, s.Tokens[login])
						if route.Method == http.MethodGet {
							as = "" // the path says it
						}
					}
					res := s.Do(t, as, route.Method, path, body, call.headers...)
					if res.StatusCode != want {
						t.Errorf("%s as %q on a %s owner: %d, want %d; %.200s", key, login, strings.ToLower(string(vis)), res.StatusCode, want, res.Body)
					}
					if res.StatusCode == http.StatusUnauthorized && len(res.Header.Values("WWW-Authenticate")) != 1 {
						t.Errorf("%s as %q: %d challenges, want 1", key, login, len(res.Header.Values("WWW-Authenticate")))
					}
				}
			}
		}
	}
	if n == 0 {
		t.Error("no route was tried")
	}
}

func ownerOf(vis access.Visibility) string { return "org-" + strings.ToLower(string(vis)) }
