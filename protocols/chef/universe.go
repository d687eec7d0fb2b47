package chef

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io"
	"net/http"

	"entrepot/ent"
	"entrepot/protocols"
	"entrepot/registry"
)

// universe answers with every version of every cookbook that the viewer may
// read, and what it needs: from this alone clients work out what to install.
// https://docs.chef.io/supermarket/supermarket_api/#universe
func universe(w http.ResponseWriter, r *protocols.Request) error {
	packages, err := r.Space.All(r.Context())
	if err != nil {
		return err
	}
	root, secret, err := base(r, packages...)
	if err != nil {
		return err
	}
	return serve(w, r, universeKey(r, packages), root, secret, func(ctx context.Context, w io.Writer) error {
		return writeUniverse(ctx, w, r.Space, r.Root(), packages)
	})
}

// universeKey names the universe of these packages, as they are: it is another
// document when one of them changes, comes, goes, or gets out of sight.
func universeKey(r *protocols.Request, packages []*ent.Pkg) registry.DocumentKey {
	h := fnv.New64a()
	for _, p := range packages {
		fmt.Fprint(h, p.ID, " ", p.Generation, "\n")
	}
	// The owner takes a package's place: the ids of the two are of one range.
	all := &ent.Pkg{ID: r.Space.Owner.ID, Generation: int64(h.Sum64() >> 1)}
	return registry.DocumentKey{Package: all, Name: fmt.Sprint("chef universe ", len(packages), " ", r.Root())}
}

func writeUniverse(ctx context.Context, w io.Writer, s *registry.Space, root string, packages []*ent.Pkg) error {
	files, err := s.LeadFiles(ctx, packages...)
	if err != nil {
		return err
	}
	byPackage := map[int64][]registry.LeadFile{}
	for _, f := range files {
		if !f.Yanked {
			byPackage[f.PackageID] = append(byPackage[f.PackageID], f)
		}
	}
	type entry struct {
		LocationType string            `json:"location_type"`
		LocationPath string            `json:"location_path"`
		DownloadURL  string            `json:"download_url"`
		Dependencies map[string]string `json:"dependencies"`
	}
	u := urls{root}
	separator := "{"
	for _, p := range packages {
		versions := map[string]entry{}
		for _, f := range byPackage[p.ID] {
			rec, err := parseRecord(f.Fragment)
			if err != nil {
				return err
			}
			versions[f.Version] = entry{"opscode", u.api(), u.download(p.Name, f.Version), rec.Dependencies}
		}
		if len(versions) == 0 {
			continue
		}
		body, err := json.Marshal(versions)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(w, "%s%q:%s", separator, p.Name, body); err != nil {
			return err
		}
		separator = ","
	}
	if separator == "{" {
		separator = "{}"
	} else {
		separator = "}"
	}
	_, err = io.WriteString(w, separator)
	return err
}

// serve sends a document that was composed with the plain root. With another, it
// is for this client alone.
func serve(w http.ResponseWriter, r *protocols.Request, key registry.DocumentKey, root string, secret bool, compose registry.Compose) error {
	if !secret {
		return protocols.ServeDocument(w, r, key, "application/json", compose)
	}
	d, err := r.Registry.Document(r.Context(), key, compose)
	if err != nil {
		return err
	}
	plain, err := d.Plain()
	if err != nil {
		return err
	}
	body, err := io.ReadAll(plain)
	if err != nil {
		return err
	}
	// URLs of the API all go on with its path.
	body = bytes.ReplaceAll(body, []byte(`"`+r.Root()+"/"+api), []byte(`"`+root+"/"+api))
	return sendPrivate(w, r, body)
}

// sendPrivate sends JSON that nobody is to keep.
func sendPrivate(w http.ResponseWriter, r *protocols.Request, body []byte) error {
	w.Header().Set("Cache-Control", "private, no-store")
	protocols.WriteJSON(w, r.Request, http.StatusOK, json.RawMessage(body))
	return nil
}
