package conda_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"entrepot/ent"
	"entrepot/server/servertest"
)

// common are the fields of a record of common size.
var common = info{
	"depends": []string{"python >=3.9", "numpy >=1.23,<3", "pandas >=2", "libblas >=3.9.0,<4.0a0", "typing_extensions"}, "constrains": []string{"old <1"},
	"license": "BSD-3-Clause", "license_family": "BSD", "noarch": "python", "timestamp": 1700000000000,
}

// fill publishes one package and makes n of it, each with one version, written
// straight into the database: to upload ten thousand would take minutes.
func (c *channels) fill(prefix string, n int) {
	c.tb.Helper()
	first := prefix + "-0"
	c.publish("", record(first, "1.0", "0", "noarch", common))
	c.GrowIndexedPackages(c.tb, first, n, func(i int, like *ent.PackageFile) servertest.Indexed {
		name := fmt.Sprintf("%s-%d", prefix, i)
		named := func(text string) string { return strings.ReplaceAll(text, first, name) }
		return servertest.Indexed{
			Package: name, File: named(like.Name), NormalizedFile: named(like.Name), Sort: named(like.Name), Fragment: []byte(named(string(like.Fragment))),
		}
	})
	if got := len(parseRepodata(c.tb, c.get("/noarch/repodata.json")).Conda); got != n {
		c.tb.Fatalf("%d packages are listed, want %d", got, n)
	}
}

// BenchmarkIndex serves an index that has not changed, in its forms.
func BenchmarkIndex(b *testing.B) {
	for _, n := range []int{500, 10_000} {
		c := newChannels(b)
		c.fill("app", n)
		get := func(file string, headers ...string) *http.Request {
			req := httptest.NewRequest("GET", root+"/noarch/"+file, nil)
			for i := 0; i < len(headers); i += 2 {
				req.Header.Set(headers[i], headers[i+1])
			}
			return req
		}
		etag := c.ETag(b, get("repodata.json.zst"))
		for _, kind := range []struct {
			name, file string
			headers    []string
			status     int
		}{
			{"json", "repodata.json", nil, 200}, {"zst", "repodata.json.zst", nil, 200}, {"bz2", "repodata.json.bz2", nil, 200},
			{"304", "repodata.json.zst", []string{"If-None-Match", etag}, 304},
		} {
			b.Run(fmt.Sprintf("%d/%s", n, kind.name), func(b *testing.B) {
				c.in(b).Measure(b, kind.status, func() *http.Request { return get(kind.file, kind.headers...) })
			})
		}
	}
}

// BenchmarkPublish uploads one more package to a channel that has many.
func BenchmarkPublish(b *testing.B) {
	for _, n := range []int{10, 1000, 10_000} {
		c := newChannels(b)
		c.fill("app", n)
		next := 0
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			c.in(b).Measure(b, 201, func() *http.Request {
				next++
				r := record(fmt.Sprintf("new-%d", next), "1.0", "0", "noarch", common)
				req := httptest.NewRequest("PUT", root+"/"+r.stem()+".conda", strings.NewReader(r.conda(b)))
				req.SetBasicAuth("wim", c.Tokens["wim"])
				return req
			})
		})
	}
}

// TestStatements holds what a publish and a read cost in SQL, whatever the
// channel holds.
func TestStatements(t *testing.T) {
	var before [4][2]int64
	for _, n := range []int{3, 60} {
		c := newChannels(t)
		count := func(f func()) [2]int64 {
			reads, writes := c.Registry().Database().Statements()
			f()
			nowReads, nowWrites := c.Registry().Database().Statements()
			return [2]int64{nowReads - reads, nowWrites - writes}
		}
		c.fill("app", n)
		var now [4][2]int64
		now[0] = count(func() { c.publish("", record("one-more", "1.0", "0", "noarch", common)) })
		c.get("/noarch/repodata.json.zst")
		now[1] = count(func() { c.get("/noarch/repodata.json.zst") })
		now[2] = count(func() { c.get("/noarch/one-more-1.0-0.conda") })
		now[3] = count(func() { c.Want(t, 404, "", "GET", root+"/noarch/repodata_shards.msgpack.zst", "") })
		if n > 3 && now != before {
			t.Errorf("statements with %d packages: %v; with fewer: %v", n, now, before)
		}
		if now[1][0] > 3 || now[2][0] > 5 || now[3][0] > 3 || now[1][1]+now[2][1]+now[3][1] != 0 {
			t.Errorf("an unchanged index costs %v reads and writes, a download %v, what is not there %v", now[1], now[2], now[3])
		}
		before = now
	}
}
