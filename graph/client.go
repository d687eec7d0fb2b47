package graph

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"
	genqlient "github.com/Khan/genqlient/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// Client runs typed operations in this process, with the same checks and
// limits as over HTTP. The viewer is the one in the context of each call.
// Failures are returned as a gqlerror.List.
func (a *API) Client() genqlient.Client { return &client{a.executor()} }

type client struct{ exec *executor.Executor }

// MakeRequest runs one operation. resp.Data holds what could be resolved also
// when there were errors.
func (c *client) MakeRequest(ctx context.Context, req *genqlient.Request, resp *genqlient.Response) error {
	variables, err := plain(req.Variables)
	if err != nil {
		return fmt.Errorf("encode variables of %s: %w", req.OpName, err)
	}
	r := execute(ctx, c.exec, &graphql.RawParams{Query: req.Query, OperationName: req.OpName, Variables: variables})
	if len(r.Data) > 0 && resp.Data != nil {
		if err := json.Unmarshal(r.Data, resp.Data); err != nil {
			return fmt.Errorf("decode the answer of %s: %w", req.OpName, err)
		}
	}
	resp.Extensions, resp.Errors = r.Extensions, r.Errors
	if len(r.Errors) > 0 {
		return r.Errors
	}
	return nil
}

// plain turns typed variables into the maps a transport would have decoded.
func plain(variables any) (map[string]any, error) {
	if variables == nil {
		return nil, nil
	}
	raw, err := json.Marshal(variables)
	if err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	// A number that became a float64 would be refused as an Int.
	d.UseNumber()
	var m map[string]any
	return m, d.Decode(&m)
}

// execute runs one operation to its end. The response is never nil.
func execute(ctx context.Context, exec graphql.GraphExecutor, params *graphql.RawParams) *graphql.Response {
	ctx = graphql.StartOperationTrace(ctx)
	now := graphql.Now()
	params.ReadTime = graphql.TraceTiming{Start: now, End: now}
	op, errs := exec.CreateOperationContext(ctx, params)
	if errs != nil {
		return exec.DispatchError(graphql.WithOperationContext(ctx, op), errs)
	}
	responses, ctx := exec.DispatchOperation(ctx, op)
	if r := responses(ctx); r != nil {
		return r
	}
	// There is no answer for who has hung up.
	return &graphql.Response{Errors: gqlerror.List{gqlerror.Wrap(context.Cause(ctx))}}
}
