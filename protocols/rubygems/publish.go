package rubygems

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"

	"entrepot/protocols"
	"entrepot/registry"
)

const (
	// maxAttestations is the longest list of attestations in bytes.
	maxAttestations = 1 << 20
	// maxParts bounds the fields of a form.
	maxParts = 20
)

// uploaded is a gem that was received.
type uploaded struct {
	content      *registry.Stored
	spec         *gemspec
	attestations []byte // a JSON array, or nil
}

// publish takes a gem: the file as the body, or a form with it and with what
// others attest of it.
//
// https://guides.rubygems.org/rubygems-org-api/#post---apiv1gems
func publish(w http.ResponseWriter, r *protocols.Request) error {
	u, err := receive(r)
	if err != nil {
		return err
	}
	p, err := publication(r, u)
	if err != nil {
		r.Registry.Discard(r.Context(), u.content)
		return err
	}
	// From here on the contents are the registry's.
	if _, err := r.Space.Publish(r.Context(), *p); err != nil {
		return err
	}
	return say(w, r, http.StatusCreated, "Successfully registered gem: "+u.spec.title())
}

// title is how gem names a file to people.
func (s *gemspec) title() string { return title(s.name, s.version, s.platform) }

func title(name string, v version, platform string) string {
	return fmt.Sprintf("%s (%s)", name, v.withPlatform(platform))
}

// receive reads the body of a publish.
func receive(r *protocols.Request) (u uploaded, err error) {
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/form-data" {
		// Old clients send no type, or one of their own.
		u.content, u.spec, err = storeGem(r, r.Body, r.ContentLength)
		return u, err
	}
	err = u.readForm(r, multipart.NewReader(r.Body, params["boundary"]))
	if err == nil && u.content == nil {
		err = registry.FieldErrorf("gem", "the form has no gem")
	}
	if err != nil {
		r.Registry.Discard(r.Context(), u.content)
	}
	return u, err
}

// readForm reads a form to its end.
func (u *uploaded) readForm(r *protocols.Request, form *multipart.Reader) error {
	for range maxParts {
		part, err := form.NextPart()
		if err == io.EOF { // not errors.Is: a form that is cut off wraps it
			return nil
		}
		if err != nil {
			return registry.Errorf(registry.Invalid, "the form cannot be read: %v", err)
		}
		switch part.FormName() {
		case "gem":
			if u.content != nil {
				return registry.FieldErrorf("gem", "the form has several gems")
			}
			if u.content, u.spec, err = storeGem(r, part, -1); err != nil {
				return err
			}
		case "attestations":
			if u.attestations, err = readAttestations(part); err != nil {
				return err
			}
		}
	}
	return registry.Errorf(registry.Invalid, "the form has more than %d fields", maxParts)
}

func readAttestations(body io.Reader) ([]byte, error) {
	raw, err := io.ReadAll(io.LimitReader(body, maxAttestations+1))
	if err != nil {
		return nil, registry.Errorf(registry.Invalid, "the form cannot be read: %v", err)
	}
	if len(raw) > maxAttestations {
		return nil, registry.Errorf(registry.TooLarge, "the attestations are larger than %d bytes", maxAttestations)
	}
	var list []json.RawMessage
	if err := json.Unmarshal(raw, &list); err != nil {
		return nil, registry.FieldErrorf("attestations", "the attestations are not a JSON array")
	}
	return raw, nil
}

// attestationsOf is the normalized name of the file with the attestations of
// another one.
func attestationsOf(normalizedName string) string { return normalizedName + ".attestations.json" }

// publication is what the registry takes of a gem.
func publication(r *protocols.Request, u uploaded) (*registry.Publication, error) {
	s := u.spec
	packed, err := packGemspec(s)
	if err != nil {
		return nil, err
	}
	file := fullName(s.name, s.version, s.platform) + gemExtension
	if err := unambiguous(r, s, file); err != nil {
		return nil, err
	}
	named := fileNamed(r, file)
	p := &registry.Publication{
		Name: s.name, NormalizedName: fold(s.name),
		Version: string(s.version), NormalizedVersion: s.version.identity(),
		SortKey: s.version.sortKey(), Prerelease: s.version.prerelease(),
		Facts:    liftFacts(s),
		Metadata: newMetadata(s),
		// The file of all platforms speaks for the version.
		Redescribe: s.platform == rubyPlatform,
		Policy:     registry.CreateOrAdd,
		Duplicate:  "Repushing of gem versions is not allowed.\nPlease bump the version number and push a new release.",
		Check:      s.check,
		Files: []registry.File{{
			Name: file, NormalizedName: fold(file), CompositeKey: s.platform, Lead: true,
			MediaType: binaryType, Content: u.content,
			Fragment:   newFragment(infoLine(s, u.content.Sums.SHA256), packed),
			Properties: []registry.Property{named},
		}},
	}
	if u.attestations != nil {
		content, err := r.Registry.Store(r.Context(), bytes.NewReader(u.attestations), int64(len(u.attestations)), 0)
		if err != nil {
			return nil, err
		}
		p.Files = append(p.Files, registry.File{
			Name: attestationsOf(file), NormalizedName: attestationsOf(fold(file)), CompositeKey: s.platform,
			MediaType: "application/json", Content: content,
		})
	}
	return p, nil
}

// check is asked inside the transaction, so that two first publishes at once
// cannot both be right.
func (s *gemspec) check(ctx context.Context, h registry.Holdings) error {
	if h.Name() != s.name {
		return registry.Errorf(registry.Conflict, "there is a gem %s already; names that differ in case alone are the same name", h.Name())
	}
	there, err := h.Versions(ctx, []string{s.version.identity()})
	if err != nil {
		return err
	}
	if v := there[s.version.identity()]; v != nil && v.Version != string(s.version) {
		return registry.Errorf(registry.Conflict, "there is a version %s already, which is the same as %s", v.Version, s.version)
	}
	return nil
}

// unambiguous refuses a file that is called as one of another gem: foo of
// version 1 for the platform a-2, and foo-1-a of version 2.
func unambiguous(r *protocols.Request, s *gemspec, file string) error {
	found, err := r.Space.FileWith(r.Context(), fileNamed(r, file))
	if registry.CodeOf(err) == registry.NotFound {
		return nil
	}
	if err == nil && found.Package != fold(s.name) {
		err = registry.Errorf(registry.Conflict, "another gem has a file %s already", file)
	}
	return err
}
