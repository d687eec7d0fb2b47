package ui

import (
	"testing"
	"time"
)

func TestFormatBytes(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0 B", 1: "1 B", 1023: "1023 B", 1024: "1.00 KiB", 10 << 10: "10.0 KiB", 1023*1024 + 511: "1023 KiB",
		1<<20 - 1: "1.00 MiB", 13_002_342: "12.4 MiB", 123 << 20: "123 MiB", 1 << 30: "1.00 GiB", 1<<63 - 1: "8.00 EiB",
	} {
		if got := FormatBytes(n); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}

func TestFormatCount(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0", 999: "999", 1000: "1k", 1049: "1k", 1050: "1.1k", 12_345: "12.3k", 100_000: "100k", 999_499: "999k",
		999_500: "1M", 2_500_000: "2.5M", 7_000_000_000: "7G",
	} {
		if got := FormatCount(n); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}

func TestPlural(t *testing.T) {
	for n, want := range map[int64]string{0: "0 files", 1: "1 file", 2: "2 files", 12_345: "12\u202f345 files"} {
		if got := Plural(n, "file", "files"); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}

func TestFormatAgo(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	const day = 24 * time.Hour
	for d, want := range map[time.Duration]string{
		0: "just now", 59 * time.Second: "just now", time.Minute: "1 minute ago", 59 * time.Minute: "59 minutes ago",
		time.Hour: "1 hour ago", 47 * time.Hour: "1 day ago", 29 * day: "29 days ago", 31 * day: "1 month ago",
		364 * day: "12 months ago", 800 * day: "2 years ago", -30 * time.Second: "just now", -49 * time.Hour: "in 2 days",
	} {
		if got := FormatAgo(now.Add(-d), now); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
}

func TestShortDigest(t *testing.T) {
	for digest, want := range map[string]string{
		"sha256:1f3a77aa88bb99cc00dd9c2e": "sha256:1f3a…9c2e",
		"1f3a77aa88bb99cc00dd9c2e":        "1f3a…9c2e",
		"sha256:1f3a":                     "sha256:1f3a",
		"1.2.0":                           "1.2.0",
		"":                                "",
	} {
		if got := ShortDigest(digest); got != want {
			t.Errorf("%q: %q, want %q", digest, got, want)
		}
	}
}

func TestInitials(t *testing.T) {
	for name, want := range map[string]string{
		"alice": "A", "harbour-labs": "HL", "a_b_c": "AB", "": "?", "--": "?", "été": "É", "@scope/name": "SN",
	} {
		if got := initials(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}
