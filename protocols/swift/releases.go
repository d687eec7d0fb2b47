package swift

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/Masterminds/semver/v3"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/protocols"
	"entrepot/registry"
)

// pageSize is how many releases a page of the list has.
const pageSize = 500

// maxLinked is the longest URL of a repository, in bytes, that the header of the
// list links to: what stands in front of a server often bounds all headers.
const maxLinked = 300

// listed is a release in the list.
type listed struct {
	version string
	key     string
	gone    bool
}

// listReleases lists a package's releases (section 4.1 of the specification),
// those that were removed too: the client skips them.
func listReleases(w http.ResponseWriter, r *protocols.Request) error {
	name := strings.TrimSuffix(r.Params["name"], jsonSuffix)
	p, err := findPackage(r, name, access.Read)
	if err != nil {
		return err
	}
	page := 1
	if text := r.URL.Query().Get("page"); text != "" {
		if page, err = strconv.Atoi(text); err != nil || page < 1 || page > 1<<20 {
			return registry.FieldErrorf("page", "the page %.100q is no number from 1 on", text)
		}
	}
	root := r.Root()
	link, err := linksOf(r, p, page)
	if err != nil {
		return err
	}
	if link != "" {
		w.Header().Set("Link", link)
	}
	key := registry.DocumentKey{Package: p, Name: fmt.Sprint("swift releases ", page, " ", root)}
	return protocols.ServeDocument(w, r, key, "application/json", func(ctx context.Context, w io.Writer) error {
		all, err := releasesOf(ctx, r.Space, p)
		if err != nil {
			return err
		}
		start := min((page-1)*pageSize, len(all))
		return writeReleases(w, p, root, all[start:min(start+pageSize, len(all))])
	})
}

// releasesOf lists the releases of a package from the highest to the lowest.
// Of those with the same precedence, which differ in build metadata alone, the
// last comes first.
func releasesOf(ctx context.Context, s *registry.Space, p *ent.Pkg) ([]listed, error) {
	states, err := s.VersionStates(ctx, p)
	if err != nil {
		return nil, err
	}
	gone, err := s.Removed(ctx, p)
	if err != nil {
		return nil, err
	}
	all := make([]listed, 0, len(states)+len(gone))
	for _, version := range gone {
		all = append(all, listed{version: version, gone: true})
	}
	for _, v := range states {
		all = append(all, listed{version: v.Version})
	}
	for i := range all {
		v, err := semver.StrictNewVersion(all[i].version)
		if err != nil {
			return nil, fmt.Errorf("version %q: %w", all[i].version, err)
		}
		all[i].key = registry.SemVerKey(v)
	}
	slices.Reverse(all)
	slices.SortStableFunc(all, func(a, b listed) int { return strings.Compare(b.key, a.key) })
	return all, nil
}

// writeReleases writes one page of the list. By hand: the order of an object's
// members is the order of the releases.
func writeReleases(w io.Writer, p *ent.Pkg, root string, page []listed) error {
	id := split(p.Name)
	b := []byte(`{"releases":{`)
	for i, release := range page {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(b, release.version)
		b = append(b, `:{"url":`...)
		b = appendString(b, releaseURL(root, id, release.version))
		if release.gone {
			problem, err := json.Marshal(problem{http.StatusGone, http.StatusText(http.StatusGone), fmt.Sprintf(removed, p.Name, release.version)})
			if err != nil {
				return err
			}
			b = append(append(b, `,"problem":`...), problem...)
		}
		b = append(b, '}')
	}
	_, err := w.Write(append(b, "}}"...))
	return err
}

// linksOf is the Link header of a page of the list. It is kept like a document:
// also an answer from memory has it.
func linksOf(r *protocols.Request, p *ent.Pkg, page int) (string, error) {
	root := r.Root()
	key := registry.DocumentKey{Package: p, Name: fmt.Sprint("swift links ", page, " ", root)}
	d, err := r.Registry.Document(r.Context(), key, func(ctx context.Context, w io.Writer) error {
		gone, err := r.Space.Removed(ctx, p)
		if err != nil {
			return err
		}
		id := split(p.Name)
		var l links
		latest, err := r.Space.Latest(ctx, p)
		if err != nil {
			return err
		}
		l.add(releaseURL(root, id, latest.Version), "latest-version")
		f, err := r.Space.File(ctx, p, latest.NormalizedVersion, archiveKey, "")
		if err != nil {
			return err
		}
		rec, err := recordOf(f)
		if err != nil {
			return err
		}
		relation := "canonical"
		for _, url := range rec.Repositories {
			if len(url) <= maxLinked {
				l.add(url, relation)
				relation = "alternate"
			}
		}
		if page*pageSize < p.VersionCount+len(gone) {
			l.add(packageURL(root, id)+"?page="+strconv.Itoa(page+1), "next")
		}
		_, err = io.WriteString(w, l.String())
		return err
	})
	if err != nil {
		return "", err
	}
	plain, err := d.Plain()
	if err != nil {
		return "", err
	}
	header, err := io.ReadAll(plain)
	return string(header), err
}

func appendString(b []byte, text string) []byte {
	quoted, _ := json.Marshal(text) // a string can be encoded
	return append(b, quoted...)
}
