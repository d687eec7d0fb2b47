package registry

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync/atomic"
	"time"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/ent/owner"
	"entrepot/ent/pkg"
	"entrepot/registry/database"
	"entrepot/storage"
)

// RedirectPolicy says which downloads clients fetch from the store itself, by
// a link that works for some minutes. The zero value sends everything through
// the server.
type RedirectPolicy struct {
	// Enabled holds for the types that Types does not name.
	Enabled bool
	// Types holds for single package types.
	Types map[string]bool
	// MinSize is the size in bytes below which a second round trip costs more
	// than it saves.
	MinSize int64
	// Private includes what needs an account to read. Whoever has a link to it
	// can use and pass on the link until it ends.
	Private bool
	// DenyAgents are parts of the names of clients that cannot follow: what
	// contains one of them, in any case, is sent the bytes.
	DenyAgents []string
	// ExcludeNetworks are where the store cannot be reached from.
	ExcludeNetworks []netip.Prefix
}

// Download is a GET of a file that is about to be answered.
type Download struct {
	// File has its blob and version loaded.
	File *ent.PackageFile
	// Length is how many bytes are asked for.
	Length int64
	// Client is who asks.
	Client Client
	// Link says what the store is to answer.
	Link storage.LinkOptions
}

// Client is what counts of a client when it is to be sent elsewhere.
type Client struct {
	// Agent is what it calls itself.
	Agent string
	// Address is where it is, as far as is known.
	Address netip.Addr
	// Secure tells that it reached the server over TLS. It is not sent to a
	// place without.
	Secure bool
}

// Redirect returns a URL under which the client can fetch the file from the
// store itself, or storage.ErrNoLink when the server is to send it: because
// the policy says so, or because the store has no links or fails to make one.
// That the viewer may read the file has been decided before.
func (r *Registry) Redirect(ctx context.Context, d Download) (string, error) {
	p, blob := &r.redirect, d.File.Edges.Blob
	if !p.any() || d.Length <= 0 || d.Length < p.MinSize || p.excludes(d.Client) || r.linkFailure.recent() {
		return "", storage.ErrNoLink
	}
	if len(p.Types) > 0 || !p.Private {
		allowed, err := r.redirects(ctx, d.File)
		if err != nil {
			return "", err
		}
		if !allowed {
			return "", storage.ErrNoLink
		}
	}
	link, err := r.store.Link(ctx, blob.StorageKey, d.Link)
	switch {
	case errors.Is(err, storage.ErrNoLink), ctx.Err() != nil:
		return "", storage.ErrNoLink
	case errors.Is(err, storage.ErrNotFound):
		return "", storage.ErrNoLink // opening it will tell why
	case err != nil:
		r.linkFailure.note()
		r.log.WarnContext(ctx, "the store made no link; files are sent by the server for a while", "for", linkPause, "error", err)
		return "", storage.ErrNoLink
	case d.Client.Secure && !strings.HasPrefix(link, "https:"):
		return "", storage.ErrNoLink
	}
	return link, nil
}

// any tells whether there is a download that is redirected.
func (p *RedirectPolicy) any() bool {
	if p.Enabled {
		return true
	}
	for _, on := range p.Types {
		if on {
			return true
		}
	}
	return false
}

// excludes tells whether the client cannot follow.
func (p *RedirectPolicy) excludes(c Client) bool {
	agent := strings.ToLower(c.Agent)
	for _, part := range p.DenyAgents {
		if strings.Contains(agent, strings.ToLower(part)) {
			return true
		}
	}
	for _, network := range p.ExcludeNetworks {
		if network.Contains(c.Address) {
			return true
		}
	}
	return false
}

var packageOfVersion = database.NewStatement(`
	SELECT p.type, p.visibility, o.visibility
	FROM packages p JOIN owners o ON o.id = p.owner_id
	WHERE p.id = ?`)

// redirects tells whether the policy allows links to files of this package.
func (r *Registry) redirects(ctx context.Context, f *ent.PackageFile) (bool, error) {
	if f.Edges.Version == nil {
		return false, nil
	}
	var typeName string
	var own pkg.Visibility
	var owners owner.Visibility
	found, err := r.db.Row(ctx, packageOfVersion, []any{f.Edges.Version.PackageID}, &typeName, &own, &owners)
	if err != nil {
		return false, fmt.Errorf("look up who may read a file: %w", err)
	}
	on, named := r.redirect.Types[typeName]
	if !named {
		on = r.redirect.Enabled
	}
	anybody := access.Target{OwnerVisibility: access.Visibility(owners), PackageVisibility: access.Visibility(own)}
	return found && on && (r.redirect.Private || access.Can(access.Viewer{}, access.Read, anybody)), nil
}

// linkPause is how long the server sends files itself after the store failed
// to make a link: a download does not wait for what has just failed.
const linkPause = time.Minute

// linkFailure remembers when the store last failed to make a link.
type linkFailure struct{ at atomic.Pointer[time.Time] }

func (f *linkFailure) note() {
	at := time.Now()
	f.at.Store(&at)
}

func (f *linkFailure) recent() bool {
	at := f.at.Load()
	return at != nil && time.Since(*at) < linkPause
}
