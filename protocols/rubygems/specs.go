package rubygems

import (
	"bytes"
	"net/http"
	"path"

	"entrepot/protocols"
)

// binaryType is the type of what Ruby's Marshal has written.
const binaryType = "application/octet-stream"

// specs answers with one of the indexes of whole repositories that gem searches
// in, of those files that the choice leaves.
//
// https://guides.rubygems.org/rubygems-org-api/ has no word on them; they are
// what `gem generate_index` writes.
func specs(choose func([]listed) []listed) func(http.ResponseWriter, *protocols.Request) error {
	return func(w http.ResponseWriter, r *protocols.Request) error {
		j, err := r.Space.Journal(r.Context())
		if err != nil {
			return err
		}
		index := path.Base(r.URL.Path)
		h := w.Header()
		h.Set("Content-Type", binaryType)
		h.Set("Cache-Control", "no-cache")
		h.Set("Vary", "Authorization")
		// The journal tells all that the index says. Gem knows no entity tags,
		// and asks by the time when it got the index.
		h.Set("ETag", `"`+j.MD5+`-specs"`)
		body, err := j.Derived(index, func(text []byte) ([]byte, error) {
			return packSpecs(choose(replay(text)))
		})
		if err != nil {
			return err
		}
		http.ServeContent(w, r.Request, "", j.Modified, bytes.NewReader(body))
		return nil
	}
}

// releases are the files of versions that are no prereleases.
func releases(files []listed) []listed {
	return filter(files, func(f listed) bool { return !f.version.prerelease() })
}

// prereleases are the files of prereleases.
func prereleases(files []listed) []listed {
	return filter(files, func(f listed) bool { return f.version.prerelease() })
}

// latestReleases are, of each gem and each platform, the highest release.
func latestReleases(files []listed) []listed {
	type line struct{ name, platform string }
	type top struct {
		file listed
		key  string
	}
	highest := map[line]top{}
	for _, f := range releases(files) {
		l, key := line{f.name, f.platform}, f.version.sortKey()
		if t, ok := highest[l]; !ok || key > t.key {
			highest[l] = top{f, key}
		}
	}
	return filter(files, func(f listed) bool { return highest[line{f.name, f.platform}].file == f })
}

func filter(files []listed, keep func(listed) bool) []listed {
	var kept []listed
	for _, f := range files {
		if keep(f) {
			kept = append(kept, f)
		}
	}
	return kept
}
