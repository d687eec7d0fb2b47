package web

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/klauspost/compress/gzhttp"

	"entrepot/web/queries"
	"entrepot/web/route"
	"entrepot/web/ui"
)

// tokens lists the viewer's access tokens and lets another be made.
func (s *site) tokens(w http.ResponseWriter, r *http.Request) error {
	v, err := s.tokensView(r, newToken{Scopes: []string{"read:package"}, Expires: defaultTokenLife})
	if err != nil {
		return err
	}
	v.Revoked = s.takeNotice(r)
	return s.show(w, r, tokensPage(v))
}

// newToken is what the form for a token says.
type newToken struct {
	Name    string
	Scopes  []string
	Expires string
}

// createToken shows the new secret in its answer and nowhere else: it is in no session, and the answer is not kept.
func (s *site) createToken(w http.ResponseWriter, r *http.Request) error {
	n := newToken{
		Name:    strings.TrimSpace(r.PostForm.Get("name")),
		Scopes:  r.PostForm["scope"],
		Expires: r.PostForm.Get("expires"),
	}
	life, ok := tokenLife(n.Expires)
	if !ok {
		return errForm
	}
	if len(n.Scopes) == 0 {
		n.Scopes = []string{} // null would be refused by the language, not by the field
	}
	res, err := queries.CreateToken(r.Context(), s.GraphQL, n.Name, n.Scopes, time.Now().Add(life))
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set(gzhttp.HeaderNoCompression, "a secret beside text from the form") // its length would tell of it
	if err != nil {
		p, err := formProblem(err)
		if err != nil {
			return err
		}
		v, err := s.tokensView(r, n)
		if err != nil {
			return err
		}
		v.Name.Error = p.on("name")
		v.ScopesProblem = p.on("scopes")
		v.Problem = p.apart("name", "scopes")
		s.render(w, r, p.status(), tokensPage(v))
		return nil
	}
	v, err := s.tokensView(r, newToken{Scopes: []string{"read:package"}, Expires: defaultTokenLife})
	if err != nil {
		return err
	}
	v.Created = &createdToken{res.CreateToken.Token.Name, res.CreateToken.Secret}
	return s.show(w, r, tokensPage(v))
}

func (s *site) revokeToken(w http.ResponseWriter, r *http.Request) error {
	if _, err := queries.RevokeToken(r.Context(), s.GraphQL, r.PostForm.Get("id")); err != nil {
		return err
	}
	s.notice(r, r.PostForm.Get("name"))
	return seeOther(w, route.OfSettings(route.Tokens).Path())
}

func (s *site) tokensView(r *http.Request, n newToken) (tokensView, error) {
	res, err := queries.Tokens(r.Context(), s.GraphQL)
	if err != nil {
		return tokensView{}, err
	}
	if res.Viewer == nil {
		return tokensView{}, errSignIn
	}
	v := tokensView{
		Page: s.page(r, "Access tokens", &res.Viewer.Account),
		Name: ui.Field{
			Name: "name", Label: "Name", Value: n.Name, Placeholder: "laptop", Required: true,
			Help: "To tell it from your others.",
		},
	}
	for _, life := range tokenLives {
		v.Expires = append(v.Expires, ui.Option{Value: life.value, Label: life.label, Selected: life.value == n.Expires})
	}
	for _, scope := range scopes {
		if scope.site && !res.Viewer.Admin {
			continue
		}
		v.Scopes = append(v.Scopes, ui.Option{
			Value: scope.value, Label: scope.label, Help: scope.help, Selected: slices.Contains(n.Scopes, scope.value),
		})
	}
	for _, edge := range res.Viewer.Tokens.Edges {
		t := edge.Node
		item := tokenItem{ID: t.Id, Name: t.Name, Scopes: t.Scopes, Created: t.CreatedAt}
		if t.ExpiresAt != nil {
			item.Expires = *t.ExpiresAt
		}
		if t.LastUsedAt != nil {
			item.LastUsed = *t.LastUsedAt
		}
		v.Tokens = append(v.Tokens, item)
	}
	return v, nil
}

// scopes are what a token may be given, in the order of growing power.
var scopes = []struct {
	value, label, help string
	site               bool // for site administrators
}{
	{"read:package", "Read packages", "Find and download what you can see.", false},
	{"write:package", "Publish packages", "Publish versions and files, move tags, deprecate.", false},
	{"delete:package", "Delete packages", "Delete files, versions and packages.", false},
	{"admin:owner", "Administer owners", "Change members, visibility and settings of what you own.", false},
	{"admin:site", "Administer the site", "Whatever a site administrator can do.", true},
}

// defaultTokenLife is the choice a new form begins with.
const defaultTokenLife = "365"

// tokenLives are how long a token may live, in days.
var tokenLives = []struct {
	value, label string
	days         int
}{
	{"7", "In a week", 7}, {"30", "In 30 days", 30}, {"90", "In 90 days", 90}, {defaultTokenLife, "In a year", 365},
}

func tokenLife(value string) (time.Duration, bool) {
	for _, life := range tokenLives {
		if life.value == value {
			return time.Duration(life.days) * 24 * time.Hour, true
		}
	}
	return 0, false
}
