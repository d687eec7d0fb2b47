package web

import (
	"net/http"

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

// pager makes the links to the pages around this one. They keep the rest of the address's query.
func pager(r *http.Request, c queries.Cursors, shown, total int, noun string) ui.Pager {
	p := ui.Pager{Shown: shown, Total: int64(total), Noun: noun}
	link := func(key, cursor string) string {
		q := r.URL.Query()
		q.Del("after")
		q.Del("before")
		q.Set(key, cursor)
		return withQuery(r.URL.EscapedPath(), q.Encode())
	}
	if c.HasPreviousPage && c.StartCursor != "" {
		p.Previous = link("before", c.StartCursor)
	}
	if c.HasNextPage && c.EndCursor != "" {
		p.Next = link("after", c.EndCursor)
	}
	return p
}
