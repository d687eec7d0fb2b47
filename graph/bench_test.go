package graph

import (
	"fmt"
	"testing"

	"entrepot/access"
)

// BenchmarkSearchPage is the page people look at most, as the web UI asks for
// it: twenty packages with their latest versions and what to narrow by.
//
//	go test ./graph -run '^$' -bench SearchPage
func BenchmarkSearchPage(b *testing.B) {
	f := newFixture(b)
	f.org("acme", access.Public)
	for i := range 30 {
		f.publish("acme", "plain", fmt.Sprintf("app%d", i), "1.0", f.rich(i))
	}
	const query = `{search{packages(first:20){totalCount edges{node{name type summary downloads versionCount updatedAt effectiveVisibility owner{name} latest{version}}}} types{type title count} owners{owner{name} count}}}`
	client, ctx := f.Client(), f.as("ann")
	b.ReportAllocs()
	for b.Loop() {
		if err := client.MakeRequest(ctx, request(query), answer()); err != nil {
			b.Fatal(err)
		}
	}
}
