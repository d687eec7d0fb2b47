package ui

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// FormatBytes writes a size in binary units with three significant digits: "0 B", "999 B", "12.4 MiB", "1.00 GiB".
func FormatBytes(n int64) string {
	if n < 1024 {
		return strconv.FormatInt(n, 10) + " B"
	}
	units := []string{"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"}
	value := float64(n) / 1024
	unit := 0
	for value >= 1023.5 && unit < len(units)-1 {
		value /= 1024
		unit++
	}
	return threeDigits(value) + " " + units[unit]
}

// FormatCount abbreviates a count to what fits a column: "999", "12.3k", "4.56M".
func FormatCount(n int64) string {
	if n < 1000 {
		return strconv.FormatInt(n, 10)
	}
	units := []string{"k", "M", "G", "T"}
	value := float64(n) / 1000
	unit := 0
	for value >= 999.5 && unit < len(units)-1 {
		value /= 1000
		unit++
	}
	return strings.TrimSuffix(strings.TrimSuffix(oneDecimal(value), "0"), ".") + units[unit]
}

// FormatExactCount groups the digits of a count in threes: "1 234 567", with narrow no-break spaces.
func FormatExactCount(n int64) string {
	digits := strconv.FormatInt(n, 10)
	var b strings.Builder
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 && digits[i-1] != '-' {
			b.WriteRune('\u202f')
		}
		b.WriteRune(d)
	}
	return b.String()
}

func threeDigits(v float64) string {
	switch {
	case v >= 99.95:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case v >= 9.995:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return strconv.FormatFloat(v, 'f', 2, 64)
}

func oneDecimal(v float64) string {
	if v >= 99.95 {
		return strconv.FormatFloat(v, 'f', 0, 64) + "."
	}
	return strconv.FormatFloat(v, 'f', 1, 64)
}

// FormatAgo says how long before now t was, in one unit: "just now", "5 minutes ago", "3 years ago", "in 2 days".
func FormatAgo(t, now time.Time) string {
	d := now.Sub(t)
	if d < 0 {
		if words := span(-d); words != "" {
			return "in " + words
		}
		return "just now"
	}
	if words := span(d); words != "" {
		return words + " ago"
	}
	return "just now"
}

// span is a duration in its largest unit, or nothing when it is under a minute.
func span(d time.Duration) string {
	const day = 24 * time.Hour
	for _, unit := range []struct {
		length time.Duration
		name   string
	}{{365 * day, "year"}, {30 * day, "month"}, {day, "day"}, {time.Hour, "hour"}, {time.Minute, "minute"}} {
		if n := int64(d / unit.length); n > 0 {
			return Plural(n, unit.name, unit.name+"s")
		}
	}
	return ""
}

// FormatTime is the exact time beside a relative one: "3 Feb 2026, 14:05:09 UTC".
func FormatTime(t time.Time) string { return t.UTC().Format("2 Jan 2006, 15:04:05 UTC") }

// Plural writes a count with the word that fits it: "1 version", "12 versions".
func Plural(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return FormatExactCount(n) + " " + many
}

// ShortDigest keeps the algorithm and both ends of a digest: "sha256:1f3a…9c2e". What is short already stays whole.
func ShortDigest(digest string) string {
	algorithm, hex, found := strings.Cut(digest, ":")
	if !found {
		algorithm, hex = "", digest
	} else {
		algorithm += ":"
	}
	if len(hex) < 16 {
		return digest
	}
	return fmt.Sprintf("%s%s…%s", algorithm, hex[:4], hex[len(hex)-4:])
}

// initials are the one or two letters of an avatar or of a type without an icon of its own.
func initials(name string) string {
	words := strings.FieldsFunc(name, func(r rune) bool { return r == '-' || r == '_' || r == '.' || r == ' ' || r == '@' || r == '/' })
	switch {
	case len(words) == 0:
		return "?"
	case len(words) == 1:
		return strings.ToUpper(firstRune(words[0]))
	}
	return strings.ToUpper(firstRune(words[0]) + firstRune(words[1]))
}

// twoLetters names a package type: "De" for debian.
func twoLetters(name string) string {
	r := []rune(name)
	switch len(r) {
	case 0:
		return "?"
	case 1:
		return strings.ToUpper(name)
	}
	return strings.ToUpper(string(r[0])) + strings.ToLower(string(r[1]))
}

func firstRune(s string) string {
	for _, r := range s {
		return string(r)
	}
	return ""
}
