package auth

import "entrepot/registry"

// Error is a failure that the caller is told about. It is registry's, under a
// name for callers that have no business with registry: the web UI.
type Error = registry.Error
