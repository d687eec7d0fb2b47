package conda

import (
	"net/http"
	"strings"

	"entrepot/access"
	"entrepot/protocols"
)

// tokenPath is the segment before a token. conda takes a URL apart there: the
// token may have letters, digits and hyphens, as those of this server do.
const tokenPath = "t"

// identify finds out from the path who reads, where the headers do not say. A
// token that is no good is an error for what is public, too: who means to be
// somebody must not be served as nobody, and then solve without the packages
// that are not for everybody.
func identify(r *protocols.Request) (access.Viewer, error) {
	return protocols.TokenReader(r, r.Params["token"])
}

// Aliases serves URLs with the token at the root of the host,
// /t/TOKEN/api/packages/..., where some clients put it: conda does with
// channel_alias, and rattler with any channel.
type Aliases struct {
	// Packages is the gate and the error path of all types.
	Packages *protocols.Handler
	// Type is the one New made.
	Type *protocols.Type
}

// Serves tells whether a request is for Aliases.
func Serves(r *http.Request) bool {
	token, rest, ok := cutToken(r.URL.EscapedPath())
	if !ok || token == "" {
		return false
	}
	_, below, ok := strings.Cut(strings.TrimPrefix(rest, protocols.Prefix), "/")
	return ok && (below == typeName || strings.HasPrefix(below, typeName+"/"))
}

// cutToken cuts an escaped path behind its token; rest begins with Prefix.
func cutToken(path string) (token, rest string, ok bool) {
	below, ok := strings.CutPrefix(path, "/"+tokenPath+"/")
	if !ok {
		return "", "", false
	}
	i := strings.IndexByte(below, '/')
	if i < 0 || !strings.HasPrefix(below[i:], protocols.Prefix) {
		return "", "", false
	}
	return below[:i], below[i:], true
}

// ServeHTTP enters the routes of the type that have the token below the root.
// The viewer is taken from the context.
func (h *Aliases) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	token, rest, _ := cutToken(r.URL.EscapedPath())
	path, ok := protocols.SplitPath(token + "/" + strings.TrimPrefix(rest, protocols.Prefix))
	if !ok {
		http.Error(w, "the path has a bad escape", http.StatusBadRequest)
		return
	}
	// The token, the owner, the type, and what is below its root.
	below := append([]string{tokenPath, path[0]}, path[3:]...)
	h.Packages.Dispatch(w, r, h.Type, path[1], below)
}
