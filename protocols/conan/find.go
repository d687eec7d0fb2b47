package conan

import (
	"net/http"
	"slices"
	"strings"

	"entrepot/protocols"
	"entrepot/registry"
)

// maxPattern is the longest pattern of a search in bytes.
const maxPattern = 1000

type results struct {
	Results []string `json:"results"`
}

// searchRecipes lists the references of the owner's recipes that match the
// pattern q, of the packages that the viewer may read.
func searchRecipes(w http.ResponseWriter, r *protocols.Request) error {
	q := r.URL.Query()
	pattern, fold := q.Get("q"), q.Get("ignorecase") != "False"
	if len(pattern) > maxPattern {
		return registry.FieldErrorf("q", "a pattern has at most %d bytes", maxPattern)
	}
	names, err := r.Space.Names(r.Context())
	if err != nil {
		return err
	}
	references, err := r.Space.Places(r.Context(), referenceList(r.Space.Owner.ID))
	if err != nil {
		return err
	}
	readable := make(map[string]bool, len(names))
	for _, name := range names {
		readable[name] = true
	}
	found := []string{}
	for _, ref := range references {
		name, _, _ := strings.Cut(ref, "/")
		if readable[name] && matchesReference(pattern, ref, fold) {
			found = append(found, ref)
		}
	}
	slices.Sort(found)
	w.Header().Set("Cache-Control", "no-cache")
	protocols.WriteJSON(w, r.Request, http.StatusOK, results{found})
	return nil
}

// matchesReference tells whether a pattern matches a reference or one of its
// beginnings: "hello", "hello/", "hello/1.0", "hello/1.0@", and so on. No
// pattern matches all.
func matchesReference(pattern, ref string, fold bool) bool {
	if pattern == "" {
		return true
	}
	if fold {
		pattern, ref = strings.ToLower(pattern), strings.ToLower(ref)
	}
	for i := range len(ref) {
		if ref[i] == '/' || ref[i] == '@' {
			if match(pattern, ref[:i]) || match(pattern, ref[:i+1]) {
				return true
			}
		}
	}
	return match(pattern, ref)
}

// match holds a text against a pattern of Python's fnmatch: * is any run of
// characters, also of slashes, ? any one, [abc], [a-z] and [!abc] one of a set.
// An opening bracket without an end stands for itself
// (https://docs.python.org/3/library/fnmatch.html).
func match(pattern, text string) bool {
	// Of several stars only the last one reached needs to be tried again with
	// more: what those before it took can stay, whatever follows.
	star, resume := -1, 0
	p, t := 0, 0
	for t < len(text) {
		if p < len(pattern) && pattern[p] == '*' {
			star, resume = p, t
			p++
			continue
		}
		if n := matchOne(pattern[p:], text[t]); n > 0 {
			p, t = p+n, t+1
			continue
		}
		if star < 0 {
			return false
		}
		resume++
		p, t = star+1, resume
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// matchOne holds a character against the beginning of a pattern that is no
// star, and returns how much of the pattern it takes; 0 when it does not match.
func matchOne(pattern string, c byte) int {
	if pattern == "" {
		return 0
	}
	switch pattern[0] {
	case '?':
		return 1
	case '[':
		set, n := cutSet(pattern)
		if n == 0 {
			break
		}
		if inSet(set, c) {
			return n
		}
		return 0
	}
	if pattern[0] == c {
		return 1
	}
	return 0
}

// cutSet returns what is between the brackets at the beginning of a pattern,
// and how long all of it is; 0 when they do not close. A closing bracket that
// comes first is a character of the set.
func cutSet(pattern string) (set string, n int) {
	from := 1
	if strings.HasPrefix(pattern[from:], "!") {
		from++
	}
	if strings.HasPrefix(pattern[from:], "]") {
		from++
	}
	end := strings.IndexByte(pattern[from:], ']')
	if end < 0 {
		return "", 0
	}
	return pattern[1 : from+end], from + end + 1
}

func inSet(set string, c byte) bool {
	set, negated := strings.CutPrefix(set, "!")
	found := false
	for i := 0; i < len(set); i++ {
		if i+2 < len(set) && set[i+1] == '-' {
			found = found || set[i] <= c && c <= set[i+2]
			i += 2
			continue
		}
		found = found || set[i] == c
	}
	return found != negated
}
