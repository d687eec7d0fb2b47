package chef

import (
	"net/url"
	"slices"
	"strings"

	"entrepot/access"
	"entrepot/auth"
	"entrepot/ent"
	"entrepot/protocols"
	"entrepot/registry"
)

// Clients read without a credential, or give theirs with the first request
// alone and none to the URLs that the answer names. So a private owner's root
// can be used with a token in its path, R/t/TOKEN, and all URLs in answers are
// below the root by which the client came. To who came with a credential in the
// headers, URLs are told with a pass in the token's place: a signed statement
// about that credential, for reading the owner's cookbooks during the next
// hour.

const (
	// tokenPath is the segment before a token.
	tokenPath = "t"
	// passPrefix begins a pass. Like a token, for logs leave out what begins so.
	passPrefix = auth.TokenPrefix + "pass."
)

// identify finds out from the path who reads.
func identify(r *protocols.Request) (access.Viewer, error) {
	token, ok := r.Params["token"]
	if !ok {
		return access.Viewer{}, nil
	}
	pass, ok := strings.CutPrefix(token, passPrefix)
	if !ok {
		return protocols.TokenReader(r, token)
	}
	v, err := checkPass(r, pass)
	if err != nil {
		return access.Viewer{}, err
	}
	return protocols.ReadOnly(v), nil
}

// passPath is what a pass is about.
func passPath(owner string) string {
	return "/api/packages/" + strings.ToLower(owner) + "/" + typeName + "/*"
}

// newPass makes a pass to the owner's cookbooks for the viewer, who is signed
// in.
func newPass(r *protocols.Request) (string, error) {
	links, err := r.Auth.NewLinker(r.Context())
	if err != nil {
		return "", err
	}
	query, err := url.ParseQuery(string(links.AppendQuery(nil, []byte(passPath(r.OwnerName)))))
	if err != nil {
		return "", err
	}
	return passPrefix + query.Get("exp") + "." + query.Get("sig"), nil
}

func checkPass(r *protocols.Request, pass string) (access.Viewer, error) {
	expiry, signature, _ := strings.Cut(pass, ".")
	v, linked, err := r.Auth.CheckLink(r.Context(), passPath(r.OwnerName), url.Values{"exp": {expiry}, "sig": {signature}})
	if err == nil && !linked {
		err = registry.Errorf(registry.Unauthenticated, "the path has no good token")
	}
	return v, err
}

// base is the root by which the client came, for a document about cookbooks;
// secret tells that it has something in it that is not for everybody.
func base(r *protocols.Request, about ...*ent.Pkg) (root string, secret bool, err error) {
	root = r.Root()
	if token, ok := r.Params["token"]; ok {
		return root + protocols.JoinPath(tokenPath, token), true, nil
	}
	hidden := func(p *ent.Pkg) bool { return !r.Anybody(p) }
	if !r.Viewer.SignedIn() || !hidden(&ent.Pkg{}) && !slices.ContainsFunc(about, hidden) {
		return root, false, nil
	}
	pass, err := newPass(r)
	return root + protocols.JoinPath(tokenPath, pass), true, err
}

// urls are the URLs below a root.
type urls struct{ root string }

func (u urls) api() string { return u.root + "/" + api }

func (u urls) cookbook(name string) string { return u.api() + "/cookbooks/" + name }

func (u urls) version(name, version string) string {
	return u.cookbook(name) + "/versions/" + underscored(version)
}

func (u urls) download(name, version string) string { return u.version(name, version) + "/download" }
