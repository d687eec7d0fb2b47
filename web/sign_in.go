package web

import (
	"net"
	"net/http"
	"strings"

	"entrepot/access"
	"entrepot/web/route"
)

// signInForm shows the form, or leads on when the visitor is signed in already.
func (s *site) signInForm(w http.ResponseWriter, r *http.Request, _ route.Target) error {
	returnTo := localPath(r.URL.Query().Get("return_to"))
	if access.FromContext(r.Context()).SignedIn() {
		return seeOther(w, returnTo)
	}
	noUsers, err := s.Auth.NeedsSetup(r.Context())
	if err != nil {
		return err
	}
	v := signInView{Page: s.plainPage(r, "Sign in"), ReturnTo: returnTo, NoUsers: noUsers}
	v.Page.Bare = true
	return s.show(w, r, signInPage(v))
}

// signIn starts a session. Why a name and password were refused is not told apart, so that names cannot be guessed.
func (s *site) signIn(w http.ResponseWriter, r *http.Request, _ route.Target) error {
	login := strings.TrimSpace(r.PostForm.Get("login"))
	returnTo := localPath(r.PostForm.Get("return_to"))
	user, err := s.Auth.CheckPassword(r.Context(), login, r.PostForm.Get("password"), clientHost(r))
	if err != nil {
		p := problemOf(err)
		if p == nil || p.code != "UNAUTHENTICATED" && p.code != "RATE_LIMITED" {
			return err
		}
		v := signInView{Page: s.plainPage(r, "Sign in"), Login: login, ReturnTo: returnTo, Problem: sentence(p.message)}
		v.Page.Bare = true
		s.render(w, r, p.status(), signInPage(v))
		return nil
	}
	if err := s.Auth.SignIn(r.Context(), s.Sessions, user); err != nil {
		return err
	}
	return seeOther(w, returnTo)
}

// signedOut is where the address of the button leads when somebody opens it.
func (s *site) signedOut(w http.ResponseWriter, r *http.Request, _ route.Target) error {
	return seeOther(w, "/")
}

func (s *site) signOut(w http.ResponseWriter, r *http.Request, _ route.Target) error {
	if err := s.Auth.SignOut(r.Context(), s.Sessions); err != nil {
		return err
	}
	return seeOther(w, "/")
}

// clientHost is the client's address without the port.
func clientHost(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}
