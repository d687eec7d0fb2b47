package cargo

import (
	"encoding/json"
	"io"
	"net/http"

	"entrepot/access"
	"entrepot/protocols"
	"entrepot/registry"
)

// yank takes a version out of the choice for whoever has not got it in a lock
// file. cargo sends no body; {"message":"..."} says why.
// https://doc.rust-lang.org/cargo/reference/registry-web-api.html#yank
func yank(w http.ResponseWriter, r *protocols.Request) error {
	var body struct {
		Message string `json:"message"`
	}
	if err := readJSON(r, &body); err != nil {
		return err
	}
	if err := setYanked(r, true, body.Message); err != nil {
		return err
	}
	return ok(w, r)
}

// unyank takes a yank back.
// https://doc.rust-lang.org/cargo/reference/registry-web-api.html#unyank
func unyank(w http.ResponseWriter, r *protocols.Request) error {
	if err := setYanked(r, false, ""); err != nil {
		return err
	}
	return ok(w, r)
}

// changeVersion yanks a version or takes that back, in the form of the public
// registry's own tools: {"version":{"yanked":true,"yank_message":"..."}}. It
// answers with the version.
func changeVersion(w http.ResponseWriter, r *protocols.Request) error {
	var body struct {
		Version struct {
			Yanked  *bool  `json:"yanked"`
			Message string `json:"yank_message"`
		} `json:"version"`
	}
	if err := readJSON(r, &body); err != nil {
		return err
	}
	if body.Version.Yanked == nil {
		return registry.FieldErrorf("version", "the body does not say whether the version is yanked")
	}
	if err := setYanked(r, *body.Version.Yanked, body.Version.Message); err != nil {
		return err
	}
	return showVersion(w, r)
}

// setYanked changes the version that the path names, if there is anything to
// change.
func setYanked(r *protocols.Request, yanked bool, reason string) error {
	p, v, err := findVersion(r, access.Write)
	if err != nil {
		return err
	}
	status := registry.Status{Deprecated: v.Deprecated, Yanked: yanked, Reason: line(reason)}
	if reason == "" && (v.Deprecated || v.Yanked && yanked) {
		status.Reason = v.StatusReason
	}
	if v.Yanked == yanked && v.StatusReason == status.Reason {
		return nil
	}
	return r.Space.SetStatus(r.Context(), p, map[string]registry.Status{v.NormalizedVersion: status})
}

// readJSON reads a small body; none leaves v as it is.
func readJSON(r *protocols.Request, v any) error {
	const most = 64 << 10
	raw, err := io.ReadAll(io.LimitReader(r.Body, most+1))
	switch {
	case err != nil:
		return brokenOff(err, "")
	case len(raw) > most:
		return registry.Errorf(registry.TooLarge, "the body is larger than %d bytes", most)
	case len(raw) == 0:
		return nil
	}
	if err := json.Unmarshal(raw, v); err != nil {
		return registry.Errorf(registry.Invalid, "the body is not what this endpoint takes: %v", err)
	}
	return nil
}
