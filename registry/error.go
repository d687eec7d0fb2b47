package registry

import (
	"errors"
	"fmt"
)

// Code is what went wrong, for programs.
type Code string

// The codes. Anything else that fails is internal: logged, and told to nobody.
const (
	// Invalid input: the client must change its request.
	Invalid Code = "INVALID"
	// Unauthenticated: signing in could help.
	Unauthenticated Code = "UNAUTHENTICATED"
	// Forbidden: the viewer may know the target and may not do this to it.
	Forbidden Code = "FORBIDDEN"
	// NotFound: there is no such thing, or the viewer may not know of it.
	NotFound Code = "NOT_FOUND"
	// Conflict: it is there already, or changed meanwhile.
	Conflict Code = "CONFLICT"
	// Precondition: a condition the client set does not hold.
	Precondition Code = "PRECONDITION_FAILED"
	// TooLarge: over a size limit.
	TooLarge Code = "TOO_LARGE"
	// Mismatch: the bytes are not the ones the client announced.
	Mismatch Code = "CHECKSUM_MISMATCH"
	// RateLimited: too many attempts.
	RateLimited Code = "RATE_LIMITED"
	// Unavailable: try again later.
	Unavailable Code = "UNAVAILABLE"
)

// Error is a failure that the client is told about.
type Error struct {
	Code Code
	// Message is a sentence for people, without a final stop.
	Message string
	// Field names the input that is at fault, if one is.
	Field string
	// Rule is the access rule that refused, if one did.
	Rule string
	// Detail is what programs may want to know beyond, in the clients' terms;
	// dialects that have a place for it show it.
	Detail any
}

// Error returns the message.
func (e *Error) Error() string { return e.Message }

// Errorf makes an Error with a formatted message.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// FieldErrorf makes an Invalid Error about one input field.
func FieldErrorf(field, format string, args ...any) *Error {
	return &Error{Code: Invalid, Message: fmt.Sprintf(format, args...), Field: field}
}

// CodeOf returns the code of the Error in err's chain, or "" when there is
// none: the failure is internal.
func CodeOf(err error) Code {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return ""
}
