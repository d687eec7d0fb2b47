package swift

import (
	"net/url"
	"strings"
)

// maxURL is the longest URL that is looked at, in bytes.
const maxURL = 2000

// repositoryKey makes the same text of all URLs of one repository: without
// scheme, user, default port, .git and case, and with the short form of SSH,
// git@host:path, as any other. It is "" for what is no URL.
func repositoryKey(raw string) string {
	raw = strings.TrimSpace(raw)
	if raw == "" || len(raw) > maxURL || strings.ContainsAny(raw, " \x00\r\n\t") {
		return ""
	}
	host, path := "", ""
	if u, err := url.Parse(raw); err == nil && u.Scheme != "" && u.Host != "" {
		host, path = u.Host, u.Path
		if u.Port() == defaultPorts[strings.ToLower(u.Scheme)] {
			host = u.Hostname()
		}
	} else if before, after, short := strings.Cut(raw, ":"); short && !strings.Contains(before, "/") && !strings.HasPrefix(after, "//") {
		host, path = before[strings.LastIndex(before, "@")+1:], after
	}
	path = strings.Trim(path, "/")
	path = strings.TrimRight(strings.TrimSuffix(strings.ToLower(path), ".git"), "/")
	if host == "" || path == "" {
		return ""
	}
	return strings.ToLower(host) + "/" + path
}

// defaultPorts are left out of keys. Of other schemes no port is.
var defaultPorts = map[string]string{"http": "80", "https": "443", "ssh": "22", "git": "9418"}
