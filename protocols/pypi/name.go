package pypi

import ()

// maxName is the longest name in bytes.
const maxName = 200

// validName tells whether a text can be a project's name: ASCII letters,
// digits, '.', '-' and '_', with a letter or digit at both ends.
//
// https://packaging.python.org/en/latest/specifications/name-normalization/#name-format
func validName(name string) bool {
	if name == "" || len(name) > maxName || !isAlphanumeric(name[0]) || !isAlphanumeric(name[len(name)-1]) {
		return false
	}
	for i := range len(name) {
		if c := name[i]; !isAlphanumeric(c) && !isSeparator(c) {
			return false
		}
	}
	return true
}

// normalizeName is the spelling by which projects are told apart: lower case,
// each run of separators one dash.
//
// https://packaging.python.org/en/latest/specifications/name-normalization/#name-normalization
func normalizeName(name string) string {
	b := make([]byte, 0, len(name))
	for i := range len(name) {
		switch c := name[i]; {
		case !isSeparator(c):
			b = append(b, lower(c))
		case i == 0 || !isSeparator(name[i-1]):
			b = append(b, '-')
		}
	}
	return string(b)
}

func isAlphanumeric(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

func isSeparator(c byte) bool { return c == '-' || c == '_' || c == '.' }

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}
