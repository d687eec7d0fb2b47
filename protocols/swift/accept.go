package swift

import (
	"net/http"
	"strings"

	"entrepot/protocols"
	"entrepot/registry"
)

// apiVersion is the version of the protocol.
const apiVersion = "1"

// vendorType begins every media type of the protocol.
const vendorType = "application/vnd.swift.registry"

// checkAccept refuses a request none of whose types can be meant for this
// version of the protocol (section 3.5 of the specification). Which of the
// types of this version it is does not matter: each path has one.
func checkAccept(lines []string) error {
	accept := strings.Join(lines, ",")
	if strings.TrimSpace(accept) == "" {
		return nil
	}
	var refusal error
	for item := range strings.SplitSeq(accept, ",") {
		mediaType, _, _ := strings.Cut(item, ";")
		mediaType = strings.ToLower(strings.TrimSpace(mediaType))
		if mediaType == "*/*" {
			return nil
		}
		rest, ok := strings.CutPrefix(mediaType, vendorType)
		if !ok {
			continue
		}
		version, format, hasFormat := strings.Cut(rest, "+")
		if hasFormat && format != "json" && format != "swift" && format != "zip" {
			continue
		}
		switch number, isVersion := strings.CutPrefix(version, ".v"); {
		case version == "", isVersion && number == apiVersion:
			return nil
		case isVersion && number != "" && strings.Trim(number, "0123456789") == "":
			refusal = problemf(http.StatusUnsupportedMediaType, "this registry speaks version %s of the protocol, not %s", apiVersion, number)
		}
	}
	if refusal == nil {
		refusal = registry.Errorf(registry.Invalid, "the Accept header names no type of this protocol, such as %s.v%s+json", vendorType, apiVersion)
	}
	return refusal
}

// problemf is an error with a status that no code of the registry has.
func problemf(status int, format string, args ...any) error {
	return &protocols.StatusError{Status: status, Err: registry.Errorf(registry.Invalid, format, args...)}
}

// unprocessable is an error about what was sent.
func unprocessable(field, format string, args ...any) error {
	return &protocols.StatusError{Status: http.StatusUnprocessableEntity, Err: registry.FieldErrorf(field, format, args...)}
}
