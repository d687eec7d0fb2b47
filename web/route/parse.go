package route

import (
	"net/url"
	"slices"
	"strings"
)

// Parse reads the escaped path of a request (r.URL.EscapedPath()). The Target of a path that is no page has the Page
// NotFound. Addresses of packages as Gitea and Forgejo write them, /{owner}/-/packages/{type}/{name}/{version} with
// the name in one segment, parse to our own pages.
func Parse(escapedPath string) Target {
	path, ok := strings.CutPrefix(escapedPath, "/")
	if !ok {
		return Target{}
	}
	if path == "" {
		return Target{Page: Home}
	}
	raw := strings.Split(strings.TrimSuffix(path, "/"), "/")
	segments := make([]string, len(raw))
	for i, s := range raw {
		u, err := url.PathUnescape(s)
		if err != nil || u == "" || u == "." || u == ".." {
			return Target{}
		}
		segments[i] = u
	}
	if Reserved(segments[0]) {
		return parseFixed(segments)
	}
	return parseOwner(raw, segments)
}

// parseFixed reads the paths that begin with a word of ours.
func parseFixed(segments []string) Target {
	switch {
	case len(segments) == 1:
		switch segments[0] {
		case "search":
			return Target{Page: Search}
		case "sign-in":
			return Target{Page: SignIn}
		case "sign-out":
			return Target{Page: SignOut}
		case "settings":
			return OfSettings(Profile)
		}
	case len(segments) == 2:
		switch segments[0] {
		case "setup":
			return Target{Page: Setup, Token: segments[1]}
		case "orgs":
			if segments[1] == "new" {
				return Target{Page: NewOrganization}
			}
		case "settings":
			if slices.Contains(settingsSections, segments[1]) {
				return OfSettings(segments[1])
			}
		}
	}
	return Target{}
}

// parseOwner reads the paths that begin with an owner's name.
func parseOwner(raw, segments []string) Target {
	owner := segments[0]
	if len(segments) == 1 {
		return OfOwner(owner)
	}
	switch segments[1] {
	case "-":
		return parseGitea(owner, segments[2:])
	case "upload":
		if len(segments) == 2 {
			return Target{Page: Upload, Owner: owner}
		}
		return Target{}
	case "settings":
		switch {
		case len(segments) == 2:
			return OfOwnerSettings(owner, General)
		case len(segments) == 3 && slices.Contains(ownerSettingsSections, segments[2]):
			return OfOwnerSettings(owner, segments[2])
		}
		return Target{}
	}
	if len(segments) == 2 {
		return OfType(owner, segments[1])
	}
	return parsePackage(OfPackage(owner, segments[1], ""), raw[2:], segments[2:])
}

// parsePackage reads what follows the type: the name up to the first word of ours, then what that word allows. The
// first segment always belongs to the name, and a word only counts where it is not escaped.
func parsePackage(t Target, raw, segments []string) Target {
	end := 1
	for end < len(raw) && !isMarker(raw[end]) {
		end++
	}
	t.Name = strings.Join(segments[:end], "/")
	tail := segments[end:]
	switch {
	case len(tail) == 0:
		return t
	case len(tail) == 1 && tail[0] == "versions":
		return t.As(Versions)
	case len(tail) == 1 && tail[0] == "settings":
		return t.As(PackageSettings)
	case len(tail) == 2 && tail[0] == "v":
		t.Page, t.Version = Version, tail[1]
		return t
	case len(tail) == 3 && tail[0] == "v" && tail[2] == "delete":
		t.Page, t.Version = DeleteVersion, tail[1]
		return t
	case len(tail) == 3 && tail[0] == "v" && tail[2] == "yank":
		t.Page, t.Version = YankVersion, tail[1]
		return t
	case len(tail) == 3 && tail[0] == "v" && tail[2] == "copy":
		t.Page, t.Version = CopyVersion, tail[1]
		return t
	}
	return Target{}
}

// parseGitea reads what follows /{owner}/-/ in the addresses of Gitea and Forgejo.
func parseGitea(owner string, segments []string) Target {
	if len(segments) == 0 || segments[0] != "packages" {
		return Target{}
	}
	switch len(segments) {
	case 1:
		return OfOwner(owner)
	case 3:
		return OfPackage(owner, segments[1], segments[2])
	case 4:
		t := OfPackage(owner, segments[1], segments[2])
		if segments[3] == "versions" {
			return t.As(Versions)
		}
		if segments[3] == "settings" {
			return t.As(PackageSettings)
		}
		t.Page, t.Version = Version, segments[3]
		return t
	}
	return Target{}
}

func escapeQuery(value string) string { return url.QueryEscape(value) }
