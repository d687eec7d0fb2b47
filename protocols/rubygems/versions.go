package rubygems

import (
	"bytes"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"strings"
	"time"

	"entrepot/ent"
	"entrepot/protocols"
	"entrepot/registry"
)

// journal is the document /versions: a line for each change,
//
//	NAME VERSION[-PLATFORM],... MD5
//
// with a dash before a version that is gone. The digest is of the gem's list
// after the change; of several lines of one gem clients go by the last, and so
// they fetch the list again of what has changed, and nothing else.
var journal = registry.Journal{
	Header: func(o *ent.Owner) string {
		return "created_at: " + o.CreatedAt.UTC().Format(time.RFC3339) + "\n" + listHeader
	},
	ListHeader: listHeader,
	Line:       fragmentLine,
	Entry: func(c registry.JournalChange) string {
		var items []string
		for _, f := range c.Added {
			items = append(items, version(f.Version).withPlatform(f.CompositeKey))
		}
		for _, f := range c.Removed {
			items = append(items, "-"+version(f.Version).withPlatform(f.CompositeKey))
		}
		return c.Package + " " + strings.Join(items, ",") + " " + c.ListMD5
	},
}

// versions answers with the list of all gems.
//
// https://guides.rubygems.org/rubygems-org-compact-index-api/#get---versions
func versions(w http.ResponseWriter, r *protocols.Request) error {
	j, err := r.Space.Journal(r.Context())
	if err != nil {
		return err
	}
	return serveText(w, r, text{body: bytes.NewReader(j.Body), md5: j.MD5, sha256: j.SHA256, modified: j.Modified})
}

// names answers with the names of all gems that have a version.
func names(w http.ResponseWriter, r *protocols.Request) error {
	j, err := r.Space.Journal(r.Context())
	if err != nil {
		return err
	}
	body, err := j.Derived("names", func(text []byte) ([]byte, error) {
		all := map[string]bool{}
		for _, f := range replay(text) {
			all[f.name] = true
		}
		list := make([]string, 0, len(all))
		for name := range all {
			list = append(list, name+"\n")
		}
		slices.Sort(list)
		return []byte(listHeader + strings.Join(list, "")), nil
	})
	if err != nil {
		return err
	}
	sums, err := j.Derived("digests of names", func([]byte) ([]byte, error) {
		short, long := md5.Sum(body), sha256.Sum256(body)
		return append(short[:], long[:]...), nil
	})
	if err != nil {
		return err
	}
	return serveText(w, r, text{
		body: bytes.NewReader(body), md5: hex.EncodeToString(sums[:md5.Size]), sha256: hex.EncodeToString(sums[md5.Size:]), modified: j.Modified,
	})
}

// listed is a file that the journal says is there.
type listed struct {
	name     string
	version  version
	platform string
}

// replay follows a journal from its beginning and returns the files that are
// there in the end, in the order in which they were published.
func replay(text []byte) []listed {
	_, rest, _ := strings.Cut(string(text), listHeader)
	var files []listed
	at := map[listed]int{}
	for line := range strings.Lines(rest) {
		name, rest, _ := strings.Cut(line, " ")
		items, _, _ := strings.Cut(rest, " ")
		for item := range strings.SplitSeq(items, ",") {
			item, gone := strings.CutPrefix(item, "-")
			// Versions have no dash.
			v, platform, native := strings.Cut(item, "-")
			if !native {
				platform = rubyPlatform
			}
			f := listed{name, version(v), platform}
			if gone {
				if i, ok := at[f]; ok {
					files[i] = listed{}
				}
				delete(at, f)
				continue
			}
			at[f] = len(files)
			files = append(files, f)
		}
	}
	return slices.DeleteFunc(files, func(f listed) bool { return f == listed{} })
}
