package nuget

import (
	"cmp"
	"net/url"
	"strconv"
	"strings"

	"entrepot/registry"
)

// The sizes of a page of a feed.
const (
	defaultTop = 30
	maxTop     = 100
)

// options are what V2's feeds take beside what they look for.
//
// https://www.odata.org/documentation/odata-version-2-0/uri-conventions/
type options struct {
	filter    *filter // nil for none
	order     func(a, b *entity) int
	skip, top int
}

// parseOptions reads a query. Error: Invalid.
func parseOptions(q url.Values) (options, error) {
	o := options{top: defaultTop}
	for name, into := range map[string]*int{"$skip": &o.skip, "$top": &o.top} {
		value := q.Get(name)
		if value == "" {
			continue
		}
		n, err := strconv.Atoi(value)
		if err != nil || n < 0 {
			return o, registry.FieldErrorf(name, "%s is a number from 0 on, not %.100q", name, value)
		}
		*into = n
	}
	o.skip, o.top = min(o.skip, maxSkip), min(o.top, maxTop)
	var err error
	if text := strings.TrimSpace(q.Get("$filter")); text != "" {
		if o.filter, err = parseFilter(text); err != nil {
			return o, err
		}
	}
	if text := strings.TrimSpace(q.Get("$orderby")); text != "" {
		o.order, err = parseOrder(text)
	}
	return o, err
}

// orders are the properties that feeds can be ordered by.
var orders = map[string]func(a, b *entity) int{
	"Id":                func(a, b *entity) int { return cmp.Compare(fold(a.Name), fold(b.Name)) },
	"Version":           func(a, b *entity) int { return a.version.compare(b.version) },
	"NormalizedVersion": func(a, b *entity) int { return a.version.compare(b.version) },
	"Published": func(a, b *entity) int {
		return cmp.Compare(published(a.CreatedAt, a.Yanked), published(b.CreatedAt, b.Yanked))
	},
	"DownloadCount": func(a, b *entity) int { return cmp.Compare(a.PackageDownloads, b.PackageDownloads) },
}

// parseOrder reads the value of $orderby. Error: Invalid.
func parseOrder(text string) (func(a, b *entity) int, error) {
	var by []func(a, b *entity) int
	for item := range strings.SplitSeq(text, ",") {
		words := strings.Fields(item)
		if len(words) == 0 || len(words) > 2 || orders[words[0]] == nil || len(by) == len(orders) {
			return nil, badOrder(item)
		}
		compare := orders[words[0]]
		if len(words) == 2 {
			switch words[1] {
			case "asc":
			case "desc":
				ascending := compare
				compare = func(a, b *entity) int { return ascending(b, a) }
			default:
				return nil, badOrder(item)
			}
		}
		by = append(by, compare)
	}
	return func(a, b *entity) int {
		for _, compare := range by {
			if c := compare(a, b); c != 0 {
				return c
			}
		}
		return 0
	}, nil
}

func badOrder(item string) error {
	return registry.FieldErrorf("$orderby", "the $orderby cannot be read: %.100q is none of Id, Version, Published and DownloadCount, with asc or desc", item)
}

// textParameter is a parameter that OData writes as a text between quotes;
// plain ones are taken as well.
func textParameter(q url.Values, name string) string {
	value := strings.TrimSpace(q.Get(name))
	if content, rest, ok := cutText(value); ok && rest == "" {
		return content
	}
	return value
}
