package graphiql

import (
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

func TestPageLoadsOnlyWhatIsEmbedded(t *testing.T) {
	get := func(path string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		Handler().ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		return w
	}
	page := get(Prefix)
	if page.Code != 200 || !strings.HasPrefix(page.Header().Get("Content-Type"), "text/html") {
		t.Fatalf("page: %d, %s", page.Code, page.Header().Get("Content-Type"))
	}
	links := regexp.MustCompile(`(?:src|href)="([^"]*)"`).FindAllStringSubmatch(page.Body.String(), -1)
	if len(links) < 6 {
		t.Errorf("the page names %d files", len(links))
	}
	for _, link := range links {
		if strings.HasPrefix(link[1], "data:") {
			continue
		}
		if file := get(link[1]); file.Code != 200 || file.Body.Len() == 0 || file.Header().Get("Content-Type") == "" {
			t.Errorf("%s: %d, %q", link[1], file.Code, file.Header().Get("Content-Type"))
		}
	}
	if missing := get(Prefix + "/../graphiql.go"); missing.Code != 404 {
		t.Errorf("a path outside answers %d", missing.Code)
	}
}
