package web

import (
	"errors"
	"net/http"

	"github.com/vektah/gqlparser/v2/gqlerror"

	"entrepot/access"
	"entrepot/auth"
	"entrepot/web/ui"
)

// problem is why something did not work, in words for the visitor.
type problem struct {
	code    string // as GraphQL's extensions.code
	field   string // input that is at fault; may be empty
	message string // a sentence without its end
}

func (p *problem) Error() string { return p.message }

// Problems that are found before GraphQL is asked.
var (
	errNoPage = &problem{code: "NOT_FOUND", message: "there is no page at this address"}
	errMethod = &problem{code: "METHOD", message: "this page does not take such a request"}
	errForm   = &problem{code: "INVALID", message: "the form could not be read"}
	errSignIn = &problem{code: "UNAUTHENTICATED", message: "sign in to see this page"}
)

// statuses are the HTTP statuses of the codes. What is not here is a failure of ours.
var statuses = map[string]int{
	"INVALID":             http.StatusUnprocessableEntity,
	"UNAUTHENTICATED":     http.StatusUnauthorized,
	"FORBIDDEN":           http.StatusForbidden,
	"NOT_FOUND":           http.StatusNotFound,
	"CONFLICT":            http.StatusConflict,
	"PRECONDITION_FAILED": http.StatusConflict,
	"TOO_LARGE":           http.StatusRequestEntityTooLarge,
	"RATE_LIMITED":        http.StatusTooManyRequests,
	"UNAVAILABLE":         http.StatusServiceUnavailable,
	"METHOD":              http.StatusMethodNotAllowed,
	"CROSS_ORIGIN":        http.StatusForbidden,
}

// problemOf finds what the visitor may be told about an error, or nil when it is a failure of ours.
func problemOf(err error) *problem {
	if p, ok := errors.AsType[*problem](err); ok {
		return p
	}
	if e, ok := errors.AsType[*auth.Error](err); ok {
		return &problem{code: string(e.Code), field: e.Field, message: e.Message}
	}
	var e *gqlerror.Error
	if list, ok := errors.AsType[gqlerror.List](err); ok && len(list) > 0 {
		e = list[0]
	} else if one, ok := errors.AsType[*gqlerror.Error](err); ok {
		e = one
	}
	if e == nil {
		return nil
	}
	code, _ := e.Extensions["code"].(string)
	if statuses[code] == 0 {
		return nil
	}
	field, _ := e.Extensions["field"].(string)
	return &problem{code: code, field: field, message: e.Message}
}

// formProblem is the problem of a form that can be shown beside it and corrected. Everything else is for the error
// page: the second value passes it on.
func formProblem(err error) (*problem, error) {
	p := problemOf(err)
	if p == nil {
		return nil, err
	}
	switch p.code {
	case "INVALID", "CONFLICT", "PRECONDITION_FAILED", "FORBIDDEN", "RATE_LIMITED", "NOT_FOUND":
		return p, nil
	}
	return nil, err
}

// on gives the message when the problem is about the field, as a sentence.
func (p *problem) on(field string) string {
	if p == nil || p.field != field {
		return ""
	}
	return sentence(p.message)
}

// apart gives the message as a sentence when it belongs to none of the fields a form shows.
func (p *problem) apart(fields ...string) string {
	if p == nil {
		return ""
	}
	for _, field := range fields {
		if p.field == field {
			return ""
		}
	}
	return sentence(p.message)
}

// status is the HTTP status of a page that shows the problem.
func (p *problem) status() int {
	if p == nil {
		return http.StatusOK
	}
	if status := statuses[p.code]; status != 0 {
		return status
	}
	return http.StatusInternalServerError
}

// fail shows the error page. What the visitor may not know is logged and named by the request's id alone.
func (s *site) fail(w http.ResponseWriter, r *http.Request, err error) {
	failure := ui.Failure{RequestID: w.Header().Get("X-Request-Id")}
	signedIn := access.FromContext(r.Context()).SignedIn()
	p := problemOf(err)
	failure.Status = http.StatusInternalServerError
	if p != nil {
		failure.Status = p.status()
	}
	switch {
	case failure.Status == http.StatusNotFound:
		failure.Title = "There is no such page"
		failure.Sentence = "What was here may have been deleted or renamed."
		if !signedIn {
			failure.Sentence += " Some pages are there only for people who are signed in."
		}
		failure.SignIn = true
	case failure.Status == http.StatusUnauthorized:
		failure.Title = "Sign in first"
		failure.Sentence = "This page is for people with an account here."
		failure.SignIn = true
	case failure.Status == http.StatusForbidden && p.code == "CROSS_ORIGIN":
		failure.Title = "This form came from another site"
		failure.Sentence = "Nothing was changed. Open the page here and send the form again."
	case failure.Status == http.StatusForbidden:
		failure.Title = "You may not do this"
		failure.Sentence = sentence(p.message)
	case failure.Status == http.StatusServiceUnavailable:
		failure.Title = "The server is busy"
		failure.Sentence = "Try again in a moment."
	case p != nil:
		failure.Title = "This did not work"
		failure.Sentence = sentence(p.message)
	default:
		s.Logger.ErrorContext(r.Context(), "page failed", "path", r.URL.Path, "error", err)
		failure.Title = "Something went wrong on our side"
		failure.Sentence = "Try again. If it keeps happening, give the request id below to the administrator of this server: it leads to the cause in the log."
	}
	s.render(w, r, failure.Status, ui.ErrorPage(s.plainPage(r, failure.Title), failure))
}

func (s *site) denyCrossOrigin(w http.ResponseWriter, r *http.Request) {
	s.fail(w, r, &problem{code: "CROSS_ORIGIN", message: "the form came from another site"})
}
