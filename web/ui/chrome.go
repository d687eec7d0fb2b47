package ui

import "entrepot/web/route"

// Chrome is what every page shows around its content.
type Chrome struct {
	Account *Account // nil when nobody is signed in
	Theme   Theme
	Version string // of the program, for the foot of the page
	Path    string // path and query of the request, where signing in or a change of theme leads back to
}

// Account is the signed-in user as the top bar shows them.
type Account struct {
	Name        string // login, which is also the name of the user's own packages
	DisplayName string
	Owners      []OwnerLink // where the user may look or publish, the user first
}

// OwnerLink is an entry of the owner switcher.
type OwnerLink struct {
	Name         string
	Organization bool
}

// Theme is the appearance a visitor chose.
type Theme string

// The themes. System follows the device.
const (
	System Theme = "system"
	Light  Theme = "light"
	Dark   Theme = "dark"
)

// ParseTheme reads what a cookie or a form says; whatever is no theme is System.
func ParseTheme(s string) Theme {
	switch t := Theme(s); t {
	case Light, Dark:
		return t
	}
	return System
}

// attribute is the value of data-theme: nothing lets the style sheet ask the device.
func (t Theme) attribute() string {
	if t == System {
		return ""
	}
	return string(t)
}

// icon of the theme in the switches.
func (t Theme) icon() string {
	switch t {
	case Light:
		return "sun"
	case Dark:
		return "moon"
	}
	return "monitor"
}

func (t Theme) title() string {
	switch t {
	case Light:
		return "Light"
	case Dark:
		return "Dark"
	}
	return "System"
}

// Page is one page for [Layout].
type Page struct {
	Chrome
	Title       string // of the browser's tab, without the product's name
	Description string // for link previews; may be empty
	Bare        bool   // no search field in the top bar, for pages that have their own or need none
	Search      Search
}

// Search is the search field of the top bar.
type Search struct {
	Query   string
	Filters []Option // kept beside a new query; Label is the parameter's name
	Results string   // id of the element on this page that shows results as the query is typed; empty elsewhere
}

func signInPath(returnTo string) string {
	if returnTo == "" || returnTo == "/" {
		return route.Target{Page: route.SignIn}.Path()
	}
	return route.Target{Page: route.SignIn}.With("return_to", returnTo)
}
