package conda

import (
	"encoding/hex"
	"strings"

	"entrepot/registry"
)

// checkVersion refuses what is no version (CEP 33): an epoch and an
// exclamation mark, parts with dots or underscores between them, a plus sign
// and a local version, of which the first and the last may be left out.
func checkVersion(version string) error {
	if _, err := parseVersion(version); err != nil {
		return err
	}
	return nil
}

// version is a version as it compares.
type version struct {
	epoch string
	// release and local are the parts, each of them runs of digits and of
	// other characters by turns, the first of digits.
	release, local [][]string
}

func parseVersion(text string) (version, error) {
	bad := func(why string) (version, error) {
		return version{}, registry.FieldErrorf("version", "version: %.80q %s", text, why)
	}
	if text == "" || len(text) > maxVersion {
		return bad("is empty or too long")
	}
	for _, c := range []byte(text) {
		if !isAlphanumeric(c) && strings.IndexByte("._+!", c) < 0 {
			return bad("has other characters than letters, digits, '.', '_', '+' and '!'")
		}
	}
	rest := strings.ToLower(text)
	v := version{epoch: "0"}
	if epoch, after, ok := strings.Cut(rest, "!"); ok {
		if epoch == "" || strings.Trim(epoch, "0123456789") != "" || strings.Contains(after, "!") {
			return bad("has an epoch that is no number, or several")
		}
		v.epoch, rest = epoch, after
	}
	release, local, hasLocal := strings.Cut(rest, "+")
	if strings.Contains(local, "+") {
		return bad("has several plus signs")
	}
	var ok bool
	if v.release, ok = parts(release); !ok {
		return bad("has an empty part")
	}
	if hasLocal {
		if v.local, ok = parts(local); !ok {
			return bad("has an empty part")
		}
	}
	return v, nil
}

// parts splits a version. Underscores divide as dots do, but for one at the
// end, by which openssl numbers what comes before its letters.
func parts(text string) ([][]string, bool) {
	body, trailing := strings.CutSuffix(text, "_")
	body = strings.ReplaceAll(body, "_", ".")
	if trailing {
		body += "_"
	}
	var all [][]string
	for part := range strings.SplitSeq(body, ".") {
		if part == "" {
			return nil, false
		}
		all = append(all, runsOf(part))
	}
	return all, true
}

// runsOf cuts a part into runs. One that begins with a letter begins with the
// number 0, so that numbers meet numbers.
func runsOf(part string) []string {
	var runs []string
	if !isDigit(part[0]) {
		runs = append(runs, "0")
	}
	start := 0
	for i := 1; i <= len(part); i++ {
		if i == len(part) || isDigit(part[i]) != isDigit(part[i-1]) {
			runs = append(runs, part[start:i])
			start = i
		}
	}
	return runs
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isAlphanumeric(c byte) bool {
	return isDigit(c) || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// The marks before what a key has at one place. A missing part or run is 0,
// letters are below every number: so what comes to a place compares with the
// end as with nought, and a nought by what follows it.
const (
	markBelow     = 0x10 // less than 0
	markZeroBelow = 0x20 // 0, and what follows is less than 0
	markEnd       = 0x30
	markZeroAbove = 0x40 // 0, and what follows is more than 0
	markAbove     = 0x50 // more than 0
	markPost      = 0x60 // "post", above all numbers
)

// sortKey is the version as text whose byte order is the order of versions;
// equal versions have one key.
func sortKey(text string) string {
	v, err := parseVersion(text)
	if err != nil {
		return ""
	}
	var k key
	k.number(v.epoch)
	k.parts(v.release)
	k.parts(v.local)
	return hex.EncodeToString(k.b)
}

type key struct{ b []byte }

// number appends a number: how many digits it has, then these.
func (k *key) number(digits string) {
	digits = strings.TrimLeft(digits, "0")
	k.b = append(append(k.b, byte(len(digits))), digits...)
}

// ranked appends places one after the other. side tells whether one is less
// than nought (-1), nought, or more; put appends one that is not nought.
func (k *key) ranked(n int, side func(int) int, put func(int)) {
	last := n
	for last > 0 && side(last-1) == 0 {
		last--
	}
	for i := range last {
		if side(i) != 0 {
			put(i)
			continue
		}
		next := i + 1
		for side(next) == 0 {
			next++
		}
		if side(next) < 0 {
			k.b = append(k.b, markZeroBelow)
		} else {
			k.b = append(k.b, markZeroAbove)
		}
	}
	k.b = append(k.b, markEnd)
}

func (k *key) parts(parts [][]string) {
	k.ranked(len(parts), func(i int) int { return sideOfPart(parts[i]) }, func(i int) {
		if sideOfPart(parts[i]) < 0 {
			k.b = append(k.b, markBelow)
		} else {
			k.b = append(k.b, markAbove)
		}
		runs := parts[i]
		k.ranked(len(runs), func(i int) int { return sideOfRun(runs[i]) }, func(i int) { k.run(runs[i]) })
	})
}

// run appends a run that is not nought. "dev" is the lowest of all texts: in
// upper case it stands before the underscore and the letters.
func (k *key) run(run string) {
	switch {
	case run == "post":
		k.b = append(k.b, markPost)
	case isDigit(run[0]):
		k.b = append(k.b, markAbove)
		k.number(run)
	default:
		if run == "dev" {
			run = "DEV"
		}
		k.b = append(append(append(k.b, markBelow), run...), 0)
	}
}

func sideOfRun(run string) int {
	switch {
	case run == "post":
		return 1
	case !isDigit(run[0]):
		return -1
	case strings.Trim(run, "0") == "":
		return 0
	}
	return 1
}

// sideOfPart is that of the first run that is not nought.
func sideOfPart(runs []string) int {
	for _, run := range runs {
		if side := sideOfRun(run); side != 0 {
			return side
		}
	}
	return 0
}
