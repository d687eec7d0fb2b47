package web

import (
	"bytes"
	"net/http"
	"strconv"
	"time"

	"github.com/a-h/templ"

	"entrepot/access"
	"entrepot/web/ui"
)

// render sends a page. It is complete before the first byte leaves, so that a component that fails becomes an error
// page and never half a page.
func (s *site) render(w http.ResponseWriter, r *http.Request, status int, c templ.Component) {
	var buf bytes.Buffer
	if err := c.Render(r.Context(), &buf); err != nil {
		s.Logger.ErrorContext(r.Context(), "render page", "path", r.URL.Path, "error", err)
		http.Error(w, "the page could not be built", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(buf.Len()))
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(buf.Bytes()) // a reader who left is no failure of ours
	}
}

// show is render for a page that is there.
func (s *site) show(w http.ResponseWriter, r *http.Request, c templ.Component) error {
	s.render(w, r, http.StatusOK, c)
	return nil
}

// chrome is what the frame of a page knows without asking GraphQL.
func (s *site) chrome(r *http.Request) ui.Chrome {
	c := ui.Chrome{Version: s.Version, Theme: theme(r), Path: r.URL.EscapedPath()}
	if r.Method == http.MethodGet {
		c.Path = withQuery(c.Path, r.URL.RawQuery)
	}
	return c
}

// plainPage is a page that asked GraphQL nothing: it knows of the viewer only the login.
func (s *site) plainPage(r *http.Request, title string) ui.Page {
	p := ui.Page{Chrome: s.chrome(r), Title: title}
	if v := access.FromContext(r.Context()); v.SignedIn() {
		p.Account = &ui.Account{Name: v.Login, DisplayName: v.Login, Owners: []ui.OwnerLink{{Name: v.Login}}}
	}
	return p
}

// themeCookie keeps the theme of a browser, signed in or not.
const themeCookie = "entrepot_theme"

func theme(r *http.Request) ui.Theme {
	c, err := r.Cookie(themeCookie)
	if err != nil {
		return ui.System
	}
	return ui.ParseTheme(c.Value)
}

func setTheme(w http.ResponseWriter, t ui.Theme, secure bool) {
	http.SetCookie(w, &http.Cookie{
		Name: themeCookie, Value: string(t), Path: "/", MaxAge: int((365 * 24 * time.Hour).Seconds()),
		HttpOnly: true, Secure: secure, SameSite: http.SameSiteLaxMode,
	})
}

// notice says on the next page what the last form did. It lives in the session, so it is there for the signed-in alone.
func (s *site) notice(r *http.Request, text string) { s.Sessions.Put(r.Context(), "notice", text) }

// takeNotice gives what notice left, once.
func (s *site) takeNotice(r *http.Request) string {
	if !access.FromContext(r.Context()).SignedIn() {
		return ""
	}
	return s.Sessions.PopString(r.Context(), "notice")
}
