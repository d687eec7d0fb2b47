package web

import (
	"net/http"

	"entrepot/access"
	"entrepot/web/route"
	"entrepot/web/ui"
)

// settings shows the section of the signed-in user's settings that the address names.
func (s *site) settings(w http.ResponseWriter, r *http.Request, t route.Target) error {
	switch t.Section {
	case route.Appearance:
		return s.appearance(w, r)
	case route.Tokens:
		return s.tokens(w, r)
	}
	return s.profile(w, r)
}

// changeSettings takes the forms of the settings.
func (s *site) changeSettings(w http.ResponseWriter, r *http.Request, t route.Target) error {
	if t.Section == route.Appearance {
		return s.changeAppearance(w, r)
	}
	if !access.FromContext(r.Context()).SignedIn() {
		return errSignIn
	}
	switch action := r.PostForm.Get("action"); {
	case t.Section == route.Tokens && action == "create":
		return s.createToken(w, r)
	case t.Section == route.Tokens && action == "revoke":
		return s.revokeToken(w, r)
	case t.Section == route.Profile && action == "profile":
		return s.saveProfile(w, r)
	case t.Section == route.Profile && action == "password":
		return s.changePassword(w, r)
	}
	return errForm
}

// appearance is there for everybody: the choice belongs to the browser.
func (s *site) appearance(w http.ResponseWriter, r *http.Request) error {
	return s.show(w, r, appearancePage(s.plainPage(r, "Appearance"), s.takeNotice(r) != ""))
}

// changeAppearance keeps the theme in a cookie and leads back to where the switch was used.
func (s *site) changeAppearance(w http.ResponseWriter, r *http.Request) error {
	setTheme(w, ui.ParseTheme(r.PostForm.Get("theme")), s.Sessions.Cookie.Secure)
	returnTo := localPath(r.PostForm.Get("return_to"))
	if returnTo == route.OfSettings(route.Appearance).Path() && access.FromContext(r.Context()).SignedIn() {
		s.notice(r, "Theme saved")
	}
	return seeOther(w, returnTo)
}
