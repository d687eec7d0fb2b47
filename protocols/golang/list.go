package golang

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/protocols"
	"entrepot/registry"
)

// list answers with the versions of a module from the lowest to the highest,
// a line each. Pseudo-versions are not listed; a module that has no others has
// an empty list.
// https://go.dev/ref/mod#goproxy-protocol
func list(w http.ResponseWriter, r *protocols.Request) error {
	p, err := findModule(r, access.Read)
	if err != nil {
		return err
	}
	key := registry.DocumentKey{Package: p, Name: "go list"}
	return protocols.ServeDocument(w, r, key, "text/plain; charset=utf-8", func(ctx context.Context, w io.Writer) error {
		states, err := r.Space.VersionStates(ctx, p)
		if err != nil {
			return err
		}
		var versions []string
		for _, state := range states {
			if !module.IsPseudoVersion(state.Version) {
				versions = append(versions, state.Version)
			}
		}
		semver.Sort(versions)
		for _, version := range versions {
			if _, err := io.WriteString(w, version+"\n"); err != nil {
				return err
			}
		}
		return nil
	})
}

// latest answers with the .info of the version to take where none is asked
// for.
// https://go.dev/ref/mod#goproxy-protocol
func latest(w http.ResponseWriter, r *protocols.Request) error {
	p, err := findModule(r, access.Read)
	if err != nil {
		return err
	}
	key := registry.DocumentKey{Package: p, Name: "go latest"}
	return protocols.ServeDocument(w, r, key, "application/json", func(ctx context.Context, w io.Writer) error {
		versions, err := readVersions(ctx, r, p)
		if err != nil {
			return err
		}
		best := pick(versions, "")
		if best == nil {
			return registry.Errorf(registry.NotFound, "not found: %s has no version that is not retracted", p.Name)
		}
		body, err := json.Marshal(info{best.version, best.Time})
		if err != nil {
			return err
		}
		_, err = w.Write(append(body, '\n'))
		return err
	})
}

// resolve finds the version that "latest" or the beginning of a version ("v1",
// "v1.2") stands for.
func resolve(r *protocols.Request, p *ent.Pkg, query string) (string, error) {
	missing := registry.Errorf(registry.NotFound, "not found: %s@%.200s", p.Name, query)
	prefix := ""
	if query != "latest" {
		if !semver.IsValid(query) || strings.Count(query, ".") > 1 {
			return "", missing
		}
		prefix = query + "."
	}
	versions, err := readVersions(r.Context(), r, p)
	if err != nil {
		return "", err
	}
	best := pick(versions, prefix)
	if best == nil {
		return "", missing
	}
	return best.version, nil
}

// candidate is a version with what decides whether it is taken.
type candidate struct {
	version string
	fragment
}

// readVersions reads all versions of a module.
func readVersions(ctx context.Context, r *protocols.Request, p *ent.Pkg) ([]candidate, error) {
	contents, err := r.Space.Contents(ctx, p)
	if err != nil {
		return nil, err
	}
	all := make([]candidate, len(contents.Versions))
	for i, v := range contents.Versions {
		all[i].version = v.Version
		if err := json.Unmarshal(v.Fragment, &all[i].fragment); err != nil {
			return nil, fmt.Errorf("decode fragment of %s: %w", v.Version, err)
		}
	}
	return all, nil
}

// pick chooses among the versions that begin with the prefix and are not
// retracted: the highest release, else the highest prerelease, else the newest
// pseudo-version, and one that is "+incompatible" only where there is no
// other. What is retracted the go.mod of the highest version says, retracted
// or not. https://go.dev/ref/mod#version-queries
func pick(versions []candidate, prefix string) *candidate {
	if len(versions) == 0 {
		return nil
	}
	newest := slices.MaxFunc(versions, compareCandidates)
	var left []candidate
	for _, c := range versions {
		retracted := slices.ContainsFunc(newest.Retract, func(t retraction) bool { return t.covers(c.version) })
		if !retracted && strings.HasPrefix(c.version, prefix) {
			left = append(left, c)
		}
	}
	if len(left) == 0 {
		return nil
	}
	best := slices.MaxFunc(left, compareCandidates)
	return &best
}

// compareCandidates orders by how good a choice a version is.
func compareCandidates(a, b candidate) int {
	if d := rank(a.version) - rank(b.version); d != 0 {
		return d
	}
	if module.IsPseudoVersion(a.version) && module.IsPseudoVersion(b.version) {
		if d := a.Time.Compare(b.Time); d != 0 {
			return d
		}
	}
	return semver.Compare(a.version, b.version)
}

// rank is the kind of a version: the higher the better.
func rank(version string) int {
	kind := 2
	switch {
	case module.IsPseudoVersion(version):
		kind = 0
	case semver.Prerelease(version) != "":
		kind = 1
	}
	if !strings.HasSuffix(version, "+incompatible") {
		kind += 3
	}
	return kind
}
