package cargo

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/Masterminds/semver/v3"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/protocols"
	"entrepot/registry"
)

// config answers with where the registry's parts are.
// https://doc.rust-lang.org/cargo/reference/registry-index.html#index-configuration
func config(w http.ResponseWriter, r *protocols.Request) error {
	root := r.Root()
	w.Header().Set("Cache-Control", "no-cache")
	w.Header().Set("Vary", "Authorization")
	protocols.WriteJSON(w, r.Request, http.StatusOK, struct {
		DL           string `json:"dl"`
		API          string `json:"api"`
		AuthRequired bool   `json:"auth-required"`
	}{root + "/api/v1/crates", root, !anonymousMayRead(r)})
	return nil
}

// anonymousMayRead tells whether the owner's packages are for everybody. If
// not, cargo is told to send its token with each request.
func anonymousMayRead(r *protocols.Request) bool {
	ctx := access.NewContext(r.Context(), access.Viewer{})
	_, err := r.Registry.Enter(ctx, r.Space.Owner.Name, typeName, access.Read)
	return err == nil
}

// me sends whoever was told by `cargo login` to look here for a token to the
// page that makes one.
func me(w http.ResponseWriter, r *protocols.Request) error {
	http.Redirect(w, r.Request, tokenPage(r), http.StatusFound)
	return nil
}

func tokenPage(r *protocols.Request) string { return r.BaseURL + "/settings/tokens" }

// index answers with a crate's file of the index: a line for each version.
// https://doc.rust-lang.org/cargo/reference/registry-index.html#sparse-protocol
func index(w http.ResponseWriter, r *protocols.Request) error {
	name := r.Params["crate"]
	path := r.Params["first"] + "/" + name
	if second, nested := r.Params["second"]; nested {
		path = r.Params["first"] + "/" + second + "/" + name
	}
	if !validName(name) || indexPath(name) != path {
		return notFound("crate")
	}
	p, err := r.Space.Package(r.Context(), fold(name), access.Read)
	if registry.CodeOf(err) == registry.NotFound {
		return notFound("crate")
	}
	if err != nil {
		return err
	}
	// A crate has one file, under its own spelling: cargo tries the others
	// and tells which one is right.
	if strings.ToLower(p.Name) != name {
		return notFound("crate")
	}
	if unchangedSince(w, r, p) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	key := registry.DocumentKey{Package: p, Name: "cargo index"}
	return protocols.ServeDocument(w, r, key, "text/plain; charset=utf-8", func(ctx context.Context, w io.Writer) error {
		contents, err := r.Space.Contents(ctx, p)
		if err != nil {
			return err
		}
		return writeIndex(w, contents)
	})
}

// unchangedSince tells the date of the last change, and whether the client
// asks by that date alone whether there was one. HTTP's dates are of whole
// seconds: a date is told only when its second is over, so that it stands for
// one state of the file.
func unchangedSince(w http.ResponseWriter, r *protocols.Request, p *ent.Pkg) bool {
	changed := p.UpdatedAt.UTC().Truncate(time.Second)
	if time.Since(changed) < 2*time.Second {
		return false
	}
	w.Header().Set("Last-Modified", changed.Format(http.TimeFormat))
	if r.Header.Get("If-None-Match") != "" {
		return false
	}
	since, err := http.ParseTime(r.Header.Get("If-Modified-Since"))
	return err == nil && !changed.After(since)
}

// writeIndex composes the file. cargo sorts for itself; the order is for
// people, and for mirrors that compare.
func writeIndex(w io.Writer, c *registry.Contents) error {
	sorted, err := bySemVer(c.Versions)
	if err != nil {
		return err
	}
	var buffer []byte
	for _, v := range sorted {
		if buffer, err = appendLine(buffer[:0], v.Fragment, v.Yanked, v.CreatedAt); err != nil {
			return fmt.Errorf("version %s: %w", v.Version, err)
		}
		if _, err := w.Write(buffer); err != nil {
			return err
		}
	}
	return nil
}

// bySemVer is the versions from the lowest to the highest.
func bySemVer(versions []registry.VersionFragment) ([]*registry.VersionFragment, error) {
	type parsed struct {
		*registry.VersionFragment
		version *semver.Version
	}
	all := make([]parsed, len(versions))
	for i := range versions {
		v, valid := parseVersion(versions[i].Version)
		if !valid {
			return nil, fmt.Errorf("version %q is none", versions[i].Version)
		}
		all[i] = parsed{&versions[i], v}
	}
	slices.SortStableFunc(all, func(a, b parsed) int { return a.version.Compare(b.version) })
	sorted := make([]*registry.VersionFragment, len(all))
	for i := range all {
		sorted[i] = all[i].VersionFragment
	}
	return sorted, nil
}
