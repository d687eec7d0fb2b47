package web

import (
	"net/http"
	"net/url"

	"entrepot/web/queries"
	"entrepot/web/ui"
)

// paging is the part of a list that the address asks for: "after" or "before" a cursor, or the start.
type paging struct {
	after, before *string
	first, last   *int
}

func pagingOf(r *http.Request, size int) paging {
	q := r.URL.Query()
	if before := q.Get("before"); before != "" {
		return paging{before: &before, last: &size}
	}
	p := paging{first: &size}
	if after := q.Get("after"); after != "" {
		p.after = &after
	}
	return p
}

// forwardPager is pager for a list that can be read in one direction alone: the way back leads to its start.
func forwardPager(here *url.URL, c queries.Cursors, shown, total int, noun string) ui.Pager {
	c.HasPreviousPage = false
	p := pager(here, c, shown, total, noun)
	if q := here.Query(); q.Get("after") != "" {
		q.Del("after")
		p.Previous = withQuery(here.EscapedPath(), q.Encode())
	}
	return p
}

// pager makes the links to the pages around the one of that address. They keep the rest of its query.
func pager(here *url.URL, c queries.Cursors, shown, total int, noun string) ui.Pager {
	p := ui.Pager{Shown: shown, Total: int64(total), Noun: noun}
	link := func(key, cursor string) string {
		q := here.Query()
		q.Del("after")
		q.Del("before")
		q.Set(key, cursor)
		return withQuery(here.EscapedPath(), q.Encode())
	}
	if c.HasPreviousPage && c.StartCursor != "" {
		p.Previous = link("before", c.StartCursor)
	}
	if c.HasNextPage && c.EndCursor != "" {
		p.Next = link("after", c.EndCursor)
	}
	return p
}
