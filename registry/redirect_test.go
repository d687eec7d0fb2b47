package registry

import (
	"context"
	"errors"
	"net/netip"
	"testing"

	"entrepot/access"
	"entrepot/ent/pkg"
	"entrepot/storage"
)

// linkingStore is a store that makes links, or fails to.
type linkingStore struct {
	storage.Store
	link  string
	err   error
	asked int
}

func (s *linkingStore) Link(context.Context, string, storage.LinkOptions) (string, error) {
	s.asked++
	return s.link, s.err
}

func newLinkingFixture(t *testing.T, policy RedirectPolicy) (*fixture, *linkingStore) {
	t.Helper()
	store, err := storage.Open(t.Context(), t.TempDir(), storage.Options{})
	if err != nil {
		t.Fatal(err)
	}
	linking := &linkingStore{Store: store, link: "http://store.test/key"}
	return newFixtureOn(t, "sqlite:"+t.TempDir()+"/test.db", Options{Store: linking, Redirect: policy}), linking
}

// download publishes a file into a package of that visibility and returns the
// request for it.
func (f *fixture) download(typeName, name string, vis pkg.Visibility) Download {
	f.t.Helper()
	ctx, s := f.as(f.ann), f.enter(f.ann, "acme", typeName, access.Write)
	if _, err := s.Publish(ctx, f.publication(name, "1", "content of "+name)); err != nil {
		f.t.Fatal(err)
	}
	f.db.Pkg.Update().Where(pkg.NormalizedName(name)).SetVisibility(vis).ExecX(access.SystemContext(ctx))
	p, err := s.Package(ctx, name, access.Read)
	if err != nil {
		f.t.Fatal(err)
	}
	file, err := s.File(ctx, p, "1", "f.txt", "")
	if err != nil {
		f.t.Fatal(err)
	}
	return Download{File: file, Length: file.Edges.Blob.Size, Client: Client{Agent: "Curl/8.0", Address: netip.MustParseAddr("192.0.2.1")}}
}

func TestRedirectPolicy(t *testing.T) {
	const inherit, limited, private = pkg.VisibilityInherit, pkg.VisibilityLimited, pkg.VisibilityPrivate
	all := RedirectPolicy{Enabled: true, Private: true}
	for _, test := range []struct {
		name     string
		policy   RedirectPolicy
		typeName string
		vis      pkg.Visibility
		owner    access.Visibility
		change   func(*Download)
		want     bool
	}{
		{name: "on", policy: all, want: true},
		{name: "off", policy: RedirectPolicy{Private: true}},
		{name: "on for the type", policy: RedirectPolicy{Private: true, Types: map[string]bool{"plain": true}}, want: true},
		{name: "on for another type", policy: RedirectPolicy{Private: true, Types: map[string]bool{"tagged": true}}},
		{name: "off for the type", policy: RedirectPolicy{Enabled: true, Private: true, Types: map[string]bool{"plain": false}}},
		{name: "off for another type", policy: RedirectPolicy{Enabled: true, Private: true, Types: map[string]bool{"tagged": false}}, want: true},
		{name: "large enough", policy: RedirectPolicy{Enabled: true, Private: true, MinSize: 12}, want: true},
		{name: "too small", policy: RedirectPolicy{Enabled: true, Private: true, MinSize: 13}},
		{name: "too small a part", policy: RedirectPolicy{Enabled: true, Private: true, MinSize: 12}, change: func(d *Download) { d.Length = 11 }},
		{name: "nothing of it", policy: all, change: func(d *Download) { d.Length = 0 }},
		{name: "private package", policy: all, vis: private, want: true},
		{name: "private package, public alone", policy: RedirectPolicy{Enabled: true}, vis: private},
		{name: "limited package, public alone", policy: RedirectPolicy{Enabled: true}, vis: limited},
		{name: "public package, public alone", policy: RedirectPolicy{Enabled: true}, want: true},
		{name: "private owner, public alone", policy: RedirectPolicy{Enabled: true}, owner: access.Private},
		{name: "denied agent", policy: RedirectPolicy{Enabled: true, Private: true, DenyAgents: []string{"Apt", "cURL/"}}},
		{name: "agent that is not denied", policy: RedirectPolicy{Enabled: true, Private: true, DenyAgents: []string{"Apt"}}, want: true},
		{name: "excluded network", policy: RedirectPolicy{Enabled: true, Private: true, ExcludeNetworks: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}}},
		{name: "another network", policy: RedirectPolicy{Enabled: true, Private: true, ExcludeNetworks: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8::/32")}}, want: true},
		{name: "unknown address", policy: RedirectPolicy{Enabled: true, Private: true, ExcludeNetworks: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}, change: func(d *Download) { d.Client.Address = netip.Addr{} }, want: true},
		{name: "from TLS to a place without", policy: all, change: func(d *Download) { d.Client.Secure = true }},
	} {
		t.Run(test.name, func(t *testing.T) {
			f, _ := newLinkingFixture(t, test.policy)
			if test.vis == "" {
				test.vis = inherit
			}
			d := f.download("plain", "p", test.vis)
			if test.owner != "" {
				if _, err := f.UpdateOwner(access.SystemContext(t.Context()), "acme", OwnerChange{Visibility: &test.owner}); err != nil {
					t.Fatal(err)
				}
			}
			if test.change != nil {
				test.change(&d)
			}
			link, err := f.Redirect(t.Context(), d)
			if test.want && (err != nil || link != "http://store.test/key") || !test.want && !errors.Is(err, storage.ErrNoLink) {
				t.Errorf("link %q, %v", link, err)
			}
		})
	}
}

func TestRedirectOverTLS(t *testing.T) {
	f, store := newLinkingFixture(t, RedirectPolicy{Enabled: true, Private: true})
	d := f.download("plain", "p", pkg.VisibilityInherit)
	store.link, d.Client.Secure = "https://store.test/key", true
	if link, err := f.Redirect(t.Context(), d); err != nil || link != store.link {
		t.Errorf("link %q, %v", link, err)
	}
}

// A store that fails to make links is left alone for a while: the server
// sends the files, and downloads do not wait for what has just failed.
func TestRedirectAfterFailure(t *testing.T) {
	for _, test := range []struct {
		name  string
		err   error
		asked int // by two downloads
	}{
		{"no links", storage.ErrNoLink, 2},
		{"object is gone", storage.ErrNotFound, 2},
		{"store is down", storage.ErrTemporary, 1},
		{"no right to sign", errors.New("forbidden"), 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			f, store := newLinkingFixture(t, RedirectPolicy{Enabled: true, Private: true})
			d := f.download("plain", "p", pkg.VisibilityInherit)
			store.err = test.err
			for range 2 {
				if link, err := f.Redirect(t.Context(), d); !errors.Is(err, storage.ErrNoLink) {
					t.Errorf("link %q, %v", link, err)
				}
			}
			if store.asked != test.asked {
				t.Errorf("the store was asked %d times, want %d", store.asked, test.asked)
			}
		})
	}
}
