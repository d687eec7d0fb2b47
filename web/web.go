// Package web is the user interface: one file a page, which is one GraphQL operation (web/queries/*.graphql), one
// templ component and one handler. Whatever it shows or does goes through GraphQL, in process and with the viewer in
// the context, so that an API user can do the same; only signing in and the first set-up talk to auth directly.
//
// It imports auth, access and its own subpackages, never ent, registry or storage. How things look is in web/ui, which
// paths there are in web/route, the built style sheet, script and icons in web/static.
package web

import (
	"log/slog"
	"net/http"
	"strings"

	"github.com/Khan/genqlient/graphql"
	"github.com/alexedwards/scs/v2"
	"github.com/klauspost/compress/gzhttp"

	"entrepot/access"
	"entrepot/auth"
	"entrepot/web/route"
	"entrepot/web/static"
)

// Options are what the UI is made from. All but Logger and SignInRequired are required.
type Options struct {
	GraphQL  graphql.Client      // in process; the context of a request carries the viewer
	Auth     *auth.Service       // signing in and the first set-up
	Sessions *scs.SessionManager // of browsers
	Version  string              // of the program
	Logger   *slog.Logger
	// SignInRequired hides every page from anonymous visitors, for servers that let nobody read without an account.
	SignInRequired bool
}

// site is the UI. It is safe for concurrent use.
type site struct {
	Options
	pages map[route.Page]page
}

// page are the handlers of a page. A page without post has no form.
type page struct {
	get, post handler
}

// handler shows a page or takes its form. What it returns becomes an error page; the target is what the path names.
type handler func(w http.ResponseWriter, r *http.Request, t route.Target) error

// New returns the handler of the UI, for all paths that nothing else in the server has.
func New(o Options) http.Handler {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	s := &site{Options: o}
	s.pages = map[route.Page]page{
		route.Home:            {get: s.home},
		route.Search:          {get: s.search},
		route.SignIn:          {get: s.signInForm, post: s.signIn},
		route.SignOut:         {get: s.signedOut, post: s.signOut},
		route.Setup:           {get: s.setupForm, post: s.setup},
		route.NewOrganization: {get: s.organizationForm, post: s.createOrganization},
		route.Settings:        {get: s.settings, post: s.changeSettings},
		route.Owner:           {get: s.owner},
		route.OwnerSettings:   {get: s.ownerSettings, post: s.changeOwner},
		route.Upload:          {get: s.upload},
		route.Package:         {get: s.showPackage},
		route.Version:         {get: s.showPackage},
		route.Versions:        {get: s.versions},
		route.DeleteVersion:   {get: s.deleteVersionForm, post: s.deleteVersion},
		route.CopyVersion:     {get: s.copyVersionForm, post: s.copyVersion},
		route.YankVersion:     {get: s.yankVersionForm, post: s.yankVersion},
		route.PackageSettings: {get: s.packageSettings, post: s.changePackage},
	}
	pages := o.Sessions.LoadAndSave(s.identify(http.HandlerFunc(s.dispatch)))
	crossOrigin := http.NewCrossOriginProtection()
	crossOrigin.SetDenyHandler(http.HandlerFunc(s.denyCrossOrigin))
	pages = compressed(crossOrigin.Handler(pages))
	assets := static.Handler()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Assets need no session, and must not wait for one.
		if strings.HasPrefix(r.URL.Path, static.Prefix) {
			assets.ServeHTTP(w, r)
			return
		}
		secure(w.Header())
		pages.ServeHTTP(w, r)
	})
}

// compressed sends pages compressed to those who accept it.
func compressed(pages http.Handler) http.Handler {
	wrap, err := gzhttp.NewWrapper(gzhttp.MinSize(2<<10), gzhttp.ContentTypes([]string{"text/html"}))
	if err != nil {
		panic(err) // the options are constants
	}
	return wrap(pages)
}

// secure sets the headers that every page has. Nothing is loaded from another host, no script or style is inline, and
// pages depend on who asks.
func secure(h http.Header) {
	h.Set("Content-Security-Policy", contentPolicy("'self' data:"))
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cache-Control", "private, no-cache")
	h.Add("Vary", "Cookie")
}

// contentPolicy is the Content-Security-Policy of a page that shows images of these sources.
func contentPolicy(images string) string {
	return "default-src 'none'; script-src 'self'; style-src 'self'; img-src " + images +
		"; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
}

// allowImages lets a page show the images of a readme, wherever they are. It is for public packages: on others, the
// host of an image would learn who reads about them, and GraphQL turns the images into links.
func allowImages(h http.Header) {
	h.Set("Content-Security-Policy", contentPolicy("'self' data: https:"))
}

// identify puts the viewer of the browser session into the context.
func (s *site) identify(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		viewer, err := s.Auth.SessionViewer(r.Context(), s.Sessions)
		if err != nil {
			s.fail(w, r, err)
			return
		}
		next.ServeHTTP(w, r.WithContext(access.NewContext(r.Context(), viewer)))
	})
}

// maxForm is the most a form may send, in bytes. Files are not sent through forms.
const maxForm = 64 << 10

// dispatch finds the page, sends other spellings of its address to the canonical one, and turns errors into pages.
func (s *site) dispatch(w http.ResponseWriter, r *http.Request) {
	path := r.URL.EscapedPath()
	target := route.Parse(path)
	page, ok := s.pages[target.Page]
	if !ok {
		s.fail(w, r, errNoPage)
		return
	}
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		if canonical := target.Path(); canonical != path {
			redirect(w, withQuery(canonical, r.URL.RawQuery), http.StatusMovedPermanently)
			return
		}
		if err := s.admit(r, target); err != nil {
			s.leave(w, r, err)
			return
		}
		if err := page.get(w, r, target); err != nil {
			s.leave(w, r, err)
		}
	case http.MethodPost:
		if page.post == nil {
			s.fail(w, r, errMethod)
			return
		}
		if err := s.admit(r, target); err != nil {
			s.fail(w, r, err)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		if err := r.ParseForm(); err != nil {
			s.fail(w, r, errForm)
			return
		}
		if err := page.post(w, r, target); err != nil {
			s.fail(w, r, err)
		}
	default:
		w.Header().Set("Allow", "GET, HEAD, POST")
		s.fail(w, r, errMethod)
	}
}

// admit keeps anonymous visitors out of a server that wants everybody to sign in, but for the pages that lead in.
func (s *site) admit(r *http.Request, t route.Target) error {
	switch {
	case !s.SignInRequired, access.FromContext(r.Context()).SignedIn():
		return nil
	case t.Page == route.SignIn, t.Page == route.SignOut, t.Page == route.Setup:
		return nil
	case t.Page == route.Settings && t.Section == route.Appearance:
		return nil
	}
	return errSignIn
}

// leave ends a page that could not be shown: at the sign-in form, when that is all it takes, or at the error page.
func (s *site) leave(w http.ResponseWriter, r *http.Request, err error) {
	if p := problemOf(err); p != nil && p.code == errSignIn.code && !access.FromContext(r.Context()).SignedIn() {
		here := withQuery(r.URL.EscapedPath(), r.URL.RawQuery)
		redirect(w, route.Target{Page: route.SignIn}.With("return_to", here), http.StatusSeeOther)
		return
	}
	s.fail(w, r, err)
}

// redirect sends the browser to a path of ours. http.Redirect would clean the path, and with it escaped names.
func redirect(w http.ResponseWriter, path string, status int) {
	w.Header().Set("Location", path)
	w.WriteHeader(status)
}

// seeOther ends a form: the browser fetches the next page with GET.
func seeOther(w http.ResponseWriter, path string) error {
	redirect(w, path, http.StatusSeeOther)
	return nil
}

func withQuery(path, query string) string {
	if query == "" {
		return path
	}
	return path + "?" + query
}

// localPath makes sure that a path from a form or an address stays on this server; anything else is the start page.
func localPath(path string) string {
	if !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") || strings.ContainsAny(path, "\\\r\n\t") {
		return "/"
	}
	return path
}
