package protocols

import (
	"net/http"
	"testing"
	"time"
)

func TestSelected(t *testing.T) {
	for _, test := range []struct {
		header        string
		start, length int64
	}{
		{"", 0, 100},
		{"bytes=0-", 0, 100},
		{"bytes=10-", 10, 90},
		{"bytes=10-19", 10, 10},
		{"bytes=10-1000", 10, 90},
		{"bytes=-30", 70, 30},
		{"bytes=-300", 0, 100},
		{"bytes=99-99", 99, 1},
		// Not a single range within the file.
		{"bytes=100-", 0, 0},
		{"bytes=20-10", 0, 0},
		{"bytes=0-9,20-29", 0, 0},
		{"bytes=-", 0, 0},
		{"bytes=a-", 0, 0},
		{"bytes=5", 0, 0},
		{"bytes=+5-", 0, 0},
		{"bytes=99999999999999999999-", 0, 0},
		{"chunks=0-1", 0, 0},
	} {
		if start, length := selected(test.header, 100); start != test.start && test.length != 0 || length != test.length {
			t.Errorf("%q: %d bytes from %d on, want %d from %d on", test.header, length, start, test.length, test.start)
		}
	}
}

func TestIsDocument(t *testing.T) {
	for contentType, want := range map[string]bool{
		"application/octet-stream": false, "application/gzip": false, "application/java-archive": false, "application/vnd.oci.image.layer.v1.tar+gzip": false,
		"text/xml": true, "text/plain; charset=utf-8": true, "application/json": true, "application/vnd.oci.image.manifest.v1+json": true, "Application/XML; charset=utf-8": true,
	} {
		if got := isDocument(contentType); got != want {
			t.Errorf("%s: %v", contentType, got)
		}
	}
}

func TestNotModified(t *testing.T) {
	date := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	for _, test := range []struct {
		name, noneMatch, since string
		want                   bool
	}{
		{"unconditional", "", "", false},
		{"tag", `"x"`, "", true},
		{"one of the tags, weak", `"a", W/"x"`, "", true},
		{"any", "*", "", true},
		{"another tag", `"a"`, "", false},
		{"another tag wins over the date", `"a"`, date.Format(http.TimeFormat), false},
		{"same date", "", date.Format(http.TimeFormat), true},
		{"later date", "", date.Add(time.Hour).Format(http.TimeFormat), true},
		{"earlier date", "", date.Add(-time.Second).Format(http.TimeFormat), false},
		{"no date", "", "yesterday", false},
	} {
		r := &http.Request{Header: http.Header{}}
		if test.noneMatch != "" {
			r.Header.Set("If-None-Match", test.noneMatch)
		}
		if test.since != "" {
			r.Header.Set("If-Modified-Since", test.since)
		}
		if got := notModified(r, `"x"`, date); got != test.want {
			t.Errorf("%s: %v", test.name, got)
		}
	}
	r := &http.Request{Header: http.Header{"If-Modified-Since": {date.Format(http.TimeFormat)}}}
	if notModified(r, `"x"`, time.Time{}) {
		t.Error("a file without a date is unchanged")
	}
}
