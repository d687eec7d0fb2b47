package graph

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"entrepot/ent"
	"entrepot/registry"
)

// codeInternal is the code of failures that are nobody's business but ours.
const codeInternal = "INTERNAL"

// presentError turns a failure into what the client is told. The registry's
// errors keep their words and get extensions.code, extensions.field and
// extensions.rule; everything else is logged and called an internal error.
func (a *API) presentError(ctx context.Context, err error) *gqlerror.Error {
	shown := graphql.DefaultErrorPresenter(ctx, err)
	cause := shown.Unwrap()
	e, told := errors.AsType[*registry.Error](err)
	switch {
	case told:
		return presented(shown, string(e.Code), e.Message, "field", e.Field, "rule", e.Rule)
	case cause == nil && shown.Extensions["code"] != nil && shown.Extensions["code"] != codePagination:
		// Made by the language itself: a query that is not valid, a limit.
		return shown
	case paginationError(err) != "":
		return presented(shown, string(registry.Invalid), paginationError(err))
	case cause == nil && graphql.GetFieldContext(ctx) == nil:
		// Made by a transport: the request cannot be read.
		return presented(shown, string(registry.Invalid), shown.Message)
	case argumentError(ctx):
		return presented(shown, string(registry.Invalid), cmp.Or(cause, err).Error())
	case ent.IsNotFound(err):
		return presented(shown, string(registry.NotFound), "not found")
	case errors.Is(err, errRecovered), errors.Is(err, context.Canceled):
	default:
		a.log.ErrorContext(ctx, "GraphQL request failed", "path", shown.Path.String(), "error", cmp.Or(cause, err))
	}
	return presented(shown, codeInternal, "internal error")
}

func presented(e *gqlerror.Error, code, message string, more ...string) *gqlerror.Error {
	e.Err = nil
	e.Message = message
	e.Extensions = map[string]any{"code": code}
	for i := 0; i+1 < len(more); i += 2 {
		if more[i+1] != "" {
			e.Extensions[more[i]] = more[i+1]
		}
	}
	return e
}

// codePagination is entgql's code for a page that makes no sense; of a page
// with both ends it says so in words alone.
const codePagination = "INVALID_PAGINATION"

// paginationError is entgql's message about a page, or empty.
func paginationError(err error) string {
	for e, ok := errors.AsType[*gqlerror.Error](err); ok; e, ok = errors.AsType[*gqlerror.Error](e.Err) {
		if e.Extensions["code"] == codePagination || strings.HasPrefix(e.Message, "Passing both `first` and `last`") {
			return e.Message
		}
		if e.Err == nil {
			break
		}
	}
	return ""
}

// argumentError tells whether the field at hand failed because its arguments
// could not be read: a time that is none, a cursor that was cut.
func argumentError(ctx context.Context) bool {
	fc := graphql.GetFieldContext(ctx)
	return fc != nil && fc.Args == nil && len(fc.Field.Arguments) > 0
}

var errRecovered = errors.New("panic")

// recovered logs a panic of a resolver; the rest of the answer goes on.
func (a *API) recovered(ctx context.Context, p any) error {
	a.log.ErrorContext(ctx, "panic in a resolver",
		"path", graphql.GetPath(ctx).String(), "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
	return errRecovered
}
