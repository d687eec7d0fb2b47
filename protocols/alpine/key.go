package alpine

import (
	"encoding/pem"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"entrepot/protocols"
	"entrepot/registry"
)

// keyName is how apk knows a key: the name of the file that holds it, which a
// signature repeats. One that was brought along may have kept the name it had
// elsewhere.
func keyName(owner string, k registry.Key) string {
	if k.Identity != "" {
		return k.Identity
	}
	return strings.ToLower(owner) + "@" + k.Fingerprint + ".rsa.pub"
}

// knownName is what a key may be called: a file of /etc/apk/keys, with room
// for the prefix of a signature in the name of an archive's file.
var knownName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9@._+-]{0,79}\.rsa\.pub$`)

// publicKey serves the key that signs, under the name it must be kept by.
func publicKey(w http.ResponseWriter, r *protocols.Request) error {
	keys, err := r.Space.Keys(r.Context())
	if err != nil {
		return err
	}
	sendKey(w, r, keys[0])
	return nil
}

// keyOfName serves one of the keys of keyNames.
func keyOfName(w http.ResponseWriter, r *protocols.Request) error {
	keys, err := r.Space.Keys(r.Context())
	if err != nil {
		return err
	}
	for _, k := range keys {
		if keyName(r.Space.Owner.Name, k) == r.Params["name"] {
			sendKey(w, r, k)
			return nil
		}
	}
	return registry.Errorf(registry.NotFound, "no key of that name signs")
}

func sendKey(w http.ResponseWriter, r *protocols.Request, k registry.Key) {
	body := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: k.Public})
	w.Header().Set("Content-Disposition", protocols.Attachment(keyName(r.Space.Owner.Name, k)))
	send(w, r, "application/x-pem-file", body)
}

// keyNames lists the names of the keys that sign now, a line each, the
// current one first. While a key is replaced there are two.
func keyNames(w http.ResponseWriter, r *protocols.Request) error {
	keys, err := r.Space.Keys(r.Context())
	if err != nil {
		return err
	}
	var b strings.Builder
	for _, k := range keys {
		b.WriteString(keyName(r.Space.Owner.Name, k))
		b.WriteByte('\n')
	}
	send(w, r, "text/plain; charset=utf-8", []byte(b.String()))
	return nil
}

func send(w http.ResponseWriter, r *protocols.Request, contentType string, body []byte) {
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("Cache-Control", "no-cache")
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		w.Write(body) // the client has it or is gone
	}
}

// replaceKey lets another key sign. A key that comes from elsewhere may be
// called ?name=, so that machines which have it need no other file.
func replaceKey(w http.ResponseWriter, r *protocols.Request) error {
	change, err := protocols.KeyChange(r)
	if err != nil {
		return err
	}
	if name := r.URL.Query().Get("name"); name != "" {
		if !knownName.MatchString(name) {
			return registry.FieldErrorf("name", "name: %.80q cannot be the name of a key; want letters, digits and @._+- before .rsa.pub", name)
		}
		change.Identity = name
	}
	return protocols.ReplaceKeyBy(w, r, change)
}
