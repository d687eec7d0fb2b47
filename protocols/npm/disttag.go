package npm

import (
	"encoding/json"
	"io"
	"net/http"

	"entrepot/access"
	"entrepot/protocols"
	"entrepot/registry"
)

// maxTagBody is the longest body that sets a dist-tag, in bytes.
const maxTagBody = 4 << 10

// listTags answers with a package's dist-tags.
func listTags(w http.ResponseWriter, r *protocols.Request) error {
	name, err := packageName(r)
	if err != nil {
		return err
	}
	p, err := r.Space.Package(r.Context(), name, access.Read)
	if err != nil {
		return err
	}
	tags, err := r.Space.Tags(r.Context(), p, "", 0)
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-cache")
	protocols.WriteJSON(w, r.Request, http.StatusOK, distTags(tags))
	return nil
}

// setTag points a dist-tag at the version that the body names as a JSON
// string.
func setTag(w http.ResponseWriter, r *protocols.Request) error {
	name, err := packageName(r)
	if err != nil {
		return err
	}
	p, err := r.Space.Package(r.Context(), name, access.Write)
	if err != nil {
		return err
	}
	if err := checkTag(r.Params["tag"]); err != nil {
		return err
	}
	version, err := readVersion(r.Body)
	if err != nil {
		return err
	}
	if err := r.Space.SetTag(r.Context(), p, r.Params["tag"], identity(version)); err != nil {
		return err
	}
	return ok(w, r)
}

func readVersion(body io.Reader) (string, error) {
	raw, err := io.ReadAll(io.LimitReader(body, maxTagBody+1))
	if err != nil {
		return "", broken(err)
	}
	if len(raw) > maxTagBody {
		return "", registry.Errorf(registry.TooLarge, "the body is longer than %d bytes", maxTagBody)
	}
	var version string
	if json.Unmarshal(raw, &version) != nil {
		return "", registry.FieldErrorf("version", "the body is not a version as a JSON string")
	}
	if _, ok := parseVersion(version); !ok {
		return "", registry.FieldErrorf("version", "%.300q is no version", version)
	}
	return version, nil
}

// removeTag takes a dist-tag away; one that is not there is fine.
func removeTag(w http.ResponseWriter, r *protocols.Request) error {
	name, err := packageName(r)
	if err != nil {
		return err
	}
	p, err := r.Space.Package(r.Context(), name, access.Write)
	if err != nil {
		return err
	}
	tag := r.Params["tag"]
	if err := checkTag(tag); err != nil {
		return err
	}
	if tag == registry.Latest {
		return registry.FieldErrorf("tag", "a package always has the dist-tag latest: move it to another version instead")
	}
	if _, err := r.Space.RemoveTag(r.Context(), p, tag); err != nil {
		return err
	}
	return ok(w, r)
}
