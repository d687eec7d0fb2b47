package route

import "strings"

// Path gives the canonical escaped path of the page, without a query. Names and versions must not be empty, "." or
// "..": user agents resolve dots before they send them, escaped or not.
func (t Target) Path() string {
	switch t.Page {
	case Home:
		return "/"
	case Search:
		return "/search"
	case SignIn:
		return "/sign-in"
	case SignOut:
		return "/sign-out"
	case Setup:
		return "/setup/" + escape(t.Token)
	case NewOrganization:
		return "/orgs/new"
	case Settings:
		return "/settings/" + escape(t.Section)
	case Owner:
		if t.Type != "" {
			return "/" + escape(t.Owner) + "/" + escape(t.Type)
		}
		return "/" + escape(t.Owner)
	case OwnerSettings:
		return "/" + escape(t.Owner) + "/settings/" + escape(t.Section)
	case Upload:
		return "/" + escape(t.Owner) + "/upload"
	case Package:
		return t.packagePath()
	case Version:
		return t.packagePath() + "/v/" + escape(t.Version)
	case DeleteVersion:
		return t.packagePath() + "/v/" + escape(t.Version) + "/delete"
	case YankVersion:
		return t.packagePath() + "/v/" + escape(t.Version) + "/yank"
	case CopyVersion:
		return t.packagePath() + "/v/" + escape(t.Version) + "/copy"
	case Versions:
		return t.packagePath() + "/versions"
	case PackageSettings:
		return t.packagePath() + "/settings"
	}
	return ""
}

// With gives the path with a query of one parameter, which is left away when its value is empty.
func (t Target) With(key, value string) string {
	if value == "" {
		return t.Path()
	}
	return t.Path() + "?" + key + "=" + escapeQuery(value)
}

func (t Target) packagePath() string {
	return "/" + escape(t.Owner) + "/" + escape(t.Type) + "/" + escapeName(t.Name)
}

// escapeName keeps the slashes of a package name readable where the parser can still tell where the name ends, and
// escapes them where it could not: when a later part of the name is one of our own words, or would not survive a
// user agent's clean-up of the path.
func escapeName(name string) string {
	parts := strings.Split(name, "/")
	for i, part := range parts {
		if part == "" || part == "." || part == ".." || i > 0 && isMarker(part) {
			return escape(name)
		}
	}
	for i, part := range parts {
		parts[i] = escape(part)
	}
	return strings.Join(parts, "/")
}

// isMarker reports whether a path segment ends the package name before it.
func isMarker(segment string) bool {
	return segment == "v" || segment == "versions" || segment == "settings"
}
