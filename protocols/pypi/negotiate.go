package pypi

import (
	"net/http"
	"strconv"
	"strings"

	"entrepot/protocols"
	"entrepot/registry"
)

// pageType is a form of the pages of the index, by the media type a client asks for and is
// told.
type pageType string

// The forms. The two kinds of HTML differ in their name alone.
const (
	jsonPage       pageType = "application/vnd.pypi.simple.v1+json"
	namedHTMLPage  pageType = "application/vnd.pypi.simple.v1+html"
	htmlPage       pageType = "text/html"
	latestJSONPage          = "application/vnd.pypi.simple.latest+json"
	latestHTMLPage          = "application/vnd.pypi.simple.latest+html"
)

// contentType is the value of Content-Type.
func (t pageType) contentType() string {
	if t == htmlPage {
		return "text/html; charset=utf-8"
	}
	return string(t)
}

// accepted are the forms by the media ranges that ask for them. Who does not
// care gets HTML, as clients of old expect it.
var accepted = map[string]pageType{
	string(jsonPage): jsonPage, latestJSONPage: jsonPage, "application/*": jsonPage,
	string(namedHTMLPage): namedHTMLPage, latestHTMLPage: namedHTMLPage,
	string(htmlPage): htmlPage, "text/*": htmlPage, "*/*": htmlPage,
}

// negotiate tells in which form a client wants a page: the query's format
// goes before the header. Error: 406 when it can read none of them.
//
// https://packaging.python.org/en/latest/specifications/simple-repository-api/#version-format-selection
func negotiate(r *protocols.Request) (pageType, error) {
	notAcceptable := &protocols.StatusError{
		Status: http.StatusNotAcceptable,
		Err:    registry.Errorf(registry.Invalid, "the pages of this index are %s, %s and %s", jsonPage, namedHTMLPage, htmlPage),
	}
	if format := r.URL.Query().Get("format"); format != "" {
		if t, ok := accepted[strings.ToLower(format)]; ok && !strings.Contains(format, "*") {
			return t, nil
		}
		return "", notAcceptable
	}
	header := strings.Join(r.Header.Values("Accept"), ",")
	if strings.TrimSpace(header) == "" {
		return htmlPage, nil
	}
	weights := map[pageType]float64{}
	for item := range strings.SplitSeq(header, ",") {
		mediaRange, params, _ := strings.Cut(item, ";")
		if t, ok := accepted[strings.ToLower(strings.TrimSpace(mediaRange))]; ok {
			weights[t] = max(weights[t], weight(params))
		}
	}
	best := pageType("")
	for _, t := range []pageType{jsonPage, namedHTMLPage, htmlPage} {
		if weights[t] > weights[best] {
			best = t
		}
	}
	if best == "" {
		return "", notAcceptable
	}
	return best, nil
}

// weight is the q among a media range's parameters (RFC 9110, section 12.4.2).
func weight(params string) float64 {
	for param := range strings.SplitSeq(params, ";") {
		key, value, _ := strings.Cut(strings.TrimSpace(param), "=")
		if !strings.EqualFold(key, "q") {
			continue
		}
		q, err := strconv.ParseFloat(value, 64)
		if err != nil || !(q >= 0 && q <= 1) {
			return 0
		}
		return q
	}
	return 1
}
