package chef

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/maypok86/otter/v2"

	"entrepot/access"
	"entrepot/auth"
	"entrepot/protocols"
	"entrepot/registry"
)

const (
	// clockSkew is how far a client's clock may be off.
	clockSkew = 15 * time.Minute
	// maxLines is how many headers a signature may be cut into.
	maxLines = 20
	// maxRemembered bounds the signatures that are remembered.
	maxRemembered = 100_000

	linePrefix = "X-Ops-Authorization-"
)

// signature is how a request is signed (mixlib-authentication): a text about it,
// signed with an RSA key of an account.
type signature struct {
	version string // 1.0, 1.1 or 1.3
	user    string
	time    string
	content string // the hash of the body, in Base64
	value   []byte
}

func refused(format string, args ...any) error {
	return registry.Errorf(registry.Unauthenticated, format, args...)
}

// parseSignature reads the headers of a signature, or returns nil if there are
// none. Error: Unauthenticated.
func parseSignature(h http.Header) (*signature, error) {
	description := h.Get("X-Ops-Sign")
	if description == "" && h.Get("X-Ops-Userid") == "" {
		return nil, nil
	}
	fields := map[string]string{}
	for field := range strings.SplitSeq(description, ";") {
		name, value, _ := strings.Cut(field, "=")
		fields[strings.TrimSpace(name)] = strings.TrimSpace(value)
	}
	s := &signature{version: fields["version"], user: h.Get("X-Ops-Userid"), time: h.Get("X-Ops-Timestamp"), content: h.Get("X-Ops-Content-Hash")}
	algorithm := map[string]string{"1.0": "sha1", "1.1": "sha1", "1.3": "sha256"}[s.version]
	if algorithm == "" || fields["algorithm"] != "" && fields["algorithm"] != algorithm {
		return nil, refused("the signature's form %.100q is not known here: use version 1.0 or 1.1 with sha1, or 1.3 with sha256", description)
	}
	if s.user == "" || s.content == "" {
		return nil, refused("the signature lacks X-Ops-Userid or X-Ops-Content-Hash")
	}
	text, err := joinLines(h)
	if err != nil {
		return nil, err
	}
	if s.value, err = base64.StdEncoding.DecodeString(text); err != nil || len(s.value) == 0 {
		return nil, refused("the signature is no Base64")
	}
	return s, nil
}

// joinLines puts the pieces of a signature together, which are numbered from 1.
func joinLines(h http.Header) (string, error) {
	lines := 0
	for name := range h {
		if number, ok := strings.CutPrefix(name, linePrefix); ok {
			n, err := strconv.Atoi(number)
			if err != nil || n < 1 || n > maxLines || strconv.Itoa(n) != number {
				return "", refused("there is no header %.100s: the signature's pieces are numbered from 1 to %d", name, maxLines)
			}
			lines++
		}
	}
	var text strings.Builder
	for n := 1; n <= lines; n++ {
		values := h.Values(linePrefix + strconv.Itoa(n))
		if len(values) != 1 {
			return "", refused("the signature's piece %d is missing, or there twice", n)
		}
		text.WriteString(strings.TrimSpace(values[0]))
	}
	return text.String(), nil
}

var slashes = regexp.MustCompile(`/+`)

// signedPath is the path as the client knows it: escaped, below the public
// URL's own path, without repeated slashes and one at its end.
func signedPath(r *protocols.Request) string {
	prefix := ""
	if u, err := url.Parse(r.BaseURL); err == nil {
		prefix = u.EscapedPath()
	}
	path := slashes.ReplaceAllString(prefix+r.URL.EscapedPath(), "/")
	if len(path) > 1 {
		path = strings.TrimSuffix(path, "/")
	}
	return path
}

// text is what was signed.
func (s *signature) text(method, path, apiVersion string) []byte {
	sum := func(text string) string {
		h := sha1.Sum([]byte(text))
		return base64.StdEncoding.EncodeToString(h[:])
	}
	if s.version == "1.3" {
		return []byte("Method:" + method + "\nPath:" + path + "\nX-Ops-Content-Hash:" + s.content + "\nX-Ops-Sign:version=" + s.version +
			"\nX-Ops-Timestamp:" + s.time + "\nX-Ops-UserId:" + s.user + "\nX-Ops-Server-API-Version:" + apiVersion)
	}
	user := s.user
	if s.version == "1.1" {
		user = sum(user)
	}
	return []byte("Method:" + method + "\nHashed Path:" + sum(path) + "\nX-Ops-Content-Hash:" + s.content +
		"\nX-Ops-Timestamp:" + s.time + "\nX-Ops-UserId:" + user)
}

// madeBy tells whether the signature of a text was made with a key. The old
// versions sign the text itself, not its digest: that, and the padding, is
// compared byte for byte.
func (s *signature) madeBy(key *rsa.PublicKey, text []byte) bool {
	if s.version == "1.3" {
		sum := sha256.Sum256(text)
		return rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], s.value) == nil
	}
	return rsa.VerifyPKCS1v15(key, 0, text, s.value) == nil
}

// signed finds out who has signed a request, and remembers signatures as long
// as their time is good: a request is taken once.
type signed struct {
	seen *otter.Cache[[sha256.Size]byte, struct{}]
}

func newSigned() *signed {
	return &signed{seen: otter.Must(&otter.Options[[sha256.Size]byte, struct{}]{
		MaximumSize:      maxRemembered,
		ExpiryCalculator: otter.ExpiryWriting[[sha256.Size]byte, struct{}](2*clockSkew + time.Minute),
	})}
}

// identify finds out who has signed the request; nobody has if it is not
// signed. What was signed of the body is held against it by checkContent.
func (s *signed) identify(r *protocols.Request) (access.Viewer, error) {
	sig, err := parseSignature(r.Header)
	if sig == nil || err != nil {
		return access.Viewer{}, err
	}
	at, err := time.Parse("2006-01-02T15:04:05Z", sig.time)
	if err != nil {
		return access.Viewer{}, refused("the signature's time stamp %.100q is none, such as 2026-01-02T03:04:05Z", sig.time)
	}
	if off := time.Since(at).Abs(); off > clockSkew {
		return access.Viewer{}, refused("the signature's time stamp is %v off: check the clock", off.Round(time.Second))
	}
	apiVersion := r.Header.Get("X-Ops-Server-Api-Version")
	if apiVersion == "" {
		apiVersion = "0"
	}
	text := sig.text(r.Method, signedPath(r), apiVersion)
	v, err := r.Auth.SignedBy(r.Context(), sig.user, func(key *rsa.PublicKey) bool { return sig.madeBy(key, text) })
	if err != nil {
		return access.Viewer{}, err
	}
	return v, nil
}

// once refuses a signed request that was taken before. Two that say the same in
// the same second are the same request: what has nothing left to do is told so
// before this is asked.
func (s *signed) once(r *protocols.Request) error {
	sig, err := parseSignature(r.Header)
	if sig == nil || err != nil {
		return err
	}
	if _, first := s.seen.SetIfAbsent(sha256.Sum256(sig.value), struct{}{}); !first {
		return refused("the signature was used before: sign each request anew")
	}
	return nil
}

// whole makes a handler take signed requests only as they were signed: with
// that body, and by the account that another credential beside is of.
func (s *signed) whole(handle func(http.ResponseWriter, *protocols.Request) error) func(http.ResponseWriter, *protocols.Request) error {
	return func(w http.ResponseWriter, r *protocols.Request) error {
		if auth.CarriesCredential(r.Request) {
			v, err := s.identify(r)
			if err != nil {
				return err
			}
			if v.SignedIn() && v.UserID != r.Viewer.UserID {
				return refused("the request carries credentials of different accounts")
			}
		}
		if r.Method != http.MethodPost { // of a form, the file alone is signed
			body, err := io.ReadAll(io.LimitReader(r.Body, maxCookbook+1))
			if err != nil {
				return registry.Errorf(registry.Invalid, "the body cannot be read: %v", err)
			}
			if len(body) > maxCookbook {
				return registry.Errorf(registry.TooLarge, "the body is larger than %d bytes", maxCookbook)
			}
			short, long := sha1.Sum(body), sha256.Sum256(body)
			if err := checkContent(r, hex.EncodeToString(short[:]), hex.EncodeToString(long[:])); err != nil {
				return err
			}
			r.Body = io.NopCloser(bytes.NewReader(body))
			if err := s.once(r); err != nil {
				return err
			}
		}
		return handle(w, r)
	}
}

// checkContent holds what came against what was signed, by its digests in
// hexadecimal.
func checkContent(r *protocols.Request, short, long string) error {
	sig, err := parseSignature(r.Header)
	if sig == nil || err != nil {
		return err
	}
	digest := short
	if sig.version == "1.3" {
		digest = long
	}
	sum, err := hex.DecodeString(digest)
	if err != nil {
		return err
	}
	if subtle.ConstantTimeCompare([]byte(base64.StdEncoding.EncodeToString(sum)), []byte(sig.content)) == 0 {
		return refused("what was sent is not what was signed: the hash of the content differs")
	}
	return nil
}
