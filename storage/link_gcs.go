package storage

import (
	"cmp"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/rclone/rclone/backend/googlecloudstorage"
	"github.com/rclone/rclone/fs"
	"github.com/rclone/rclone/fs/config/configmap"
	"github.com/rclone/rclone/fs/config/configstruct"
	"github.com/rclone/rclone/lib/env"
	"golang.org/x/oauth2/google"
)

// gcsLinker makes V4 signed URLs with the key of a service account
// (https://cloud.google.com/storage/docs/authentication/signatures). Google's own library for it is not part of rclone
// and brings gRPC along; the signature is thirty lines.
type gcsLinker struct {
	endpoint    *url.URL
	bound       bool // the endpoint's host stands for the bucket: paths do not name it
	bucket      string
	prefix      string
	encode      func(string) string // of rclone, for names that the service refuses
	userProject string              // who pays, if not the owner of the bucket

	account string // e-mail address of the service account
	key     *rsa.PrivateKey
}

// newGCSLinker returns nil without the private key of a service account: for anonymous access, access tokens, accounts
// of people and machines with an identity of their own.
func newGCSLinker(ctx context.Context, f fs.Fs, values configmap.Getter, public *url.URL) (linker, error) {
	var options googlecloudstorage.Options
	if err := configstruct.Set(values, &options); err != nil {
		return nil, err
	}
	l := &gcsLinker{encode: options.Enc.FromStandardPath, userProject: options.UserProject}
	l.bucket, l.prefix, _ = strings.Cut(f.Root(), "/")
	if l.bucket == "" {
		return nil, nil
	}
	account, err := serviceAccount(ctx, &options)
	if account == nil || err != nil {
		return nil, err
	}
	if l.account, l.key, err = signingKey(account); l.key == nil || err != nil {
		return nil, err
	}
	l.endpoint, err = url.Parse(cmp.Or(options.Endpoint, "https://storage.googleapis.com"))
	if err != nil {
		return nil, fmt.Errorf("endpoint: %w", err)
	}
	l.endpoint = &url.URL{Scheme: l.endpoint.Scheme, Host: l.endpoint.Host} // the path is the JSON API's
	if public != nil {
		l.endpoint = public
		l.bound = !strings.HasSuffix("."+public.Hostname(), ".googleapis.com")
	}
	return l, nil
}

// serviceAccount returns the credentials file that rclone's backend uses, or nil if it uses something else.
func serviceAccount(ctx context.Context, o *googlecloudstorage.Options) ([]byte, error) {
	switch {
	case o.Anonymous:
		return nil, nil
	case o.ServiceAccountCredentials != "":
		return []byte(o.ServiceAccountCredentials), nil
	case o.ServiceAccountFile != "":
		return os.ReadFile(env.ShellExpand(o.ServiceAccountFile))
	case o.EnvAuth:
		found, err := google.FindDefaultCredentials(ctx)
		if err != nil {
			return nil, err
		}
		return found.JSON, nil // nil on a machine of Google's with an identity
	}
	return nil, nil
}

// signingKey reads a credentials file. Kinds of credentials that hold no key give none.
func signingKey(credentials []byte) (account string, key *rsa.PrivateKey, err error) {
	config, err := google.JWTConfigFromJSON(credentials)
	if err != nil {
		return "", nil, nil // another kind: rclone has read it before
	}
	block, _ := pem.Decode(config.PrivateKey)
	if block == nil {
		return "", nil, errors.New("service account: its private_key is not PEM")
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		if parsed, err = x509.ParsePKCS1PrivateKey(block.Bytes); err != nil {
			return "", nil, errors.New("service account: its private_key is neither PKCS 8 nor PKCS 1")
		}
	}
	key, ok := parsed.(*rsa.PrivateKey)
	if !ok {
		return "", nil, errors.New("service account: its private_key is not RSA")
	}
	return config.Email, key, nil
}

func (l *gcsLinker) link(_ context.Context, key string, o LinkOptions) (string, error) {
	return l.linkAt(key, o, time.Now())
}

// linkAt makes a link as of a given time.
func (l *gcsLinker) linkAt(key string, o LinkOptions, at time.Time) (string, error) {
	stamp := at.UTC().Format("20060102T150405Z")
	scope := stamp[:len("20060102")] + "/auto/storage/goog4_request"
	query := url.Values{
		"X-Goog-Algorithm":     {"GOOG4-RSA-SHA256"},
		"X-Goog-Credential":    {l.account + "/" + scope},
		"X-Goog-Date":          {stamp},
		"X-Goog-Expires":       {strconv.Itoa(int(o.TTL / time.Second))},
		"X-Goog-SignedHeaders": {"host"},
	}
	for name, value := range map[string]string{
		"response-content-type": o.ContentType, "response-content-disposition": o.Disposition, "userProject": l.userProject,
	} {
		if value != "" {
			query.Set(name, value)
		}
	}
	object := "/" + l.encode(path.Join(l.prefix, key))
	if !l.bound {
		object = "/" + l.bucket + object
	}
	resource := l.endpoint.Path + percentEncode(object, "/")
	canonicalQuery := strings.ReplaceAll(query.Encode(), "+", "%20")
	request := strings.Join([]string{
		"GET", resource, canonicalQuery,
		"host:" + l.endpoint.Hostname(), "", // the headers, each with a newline; a port is not signed
		"host", "UNSIGNED-PAYLOAD",
	}, "\n")
	hashed := sha256.Sum256([]byte(request))
	toSign := sha256.Sum256([]byte(strings.Join([]string{"GOOG4-RSA-SHA256", stamp, scope, hex.EncodeToString(hashed[:])}, "\n")))
	signature, err := rsa.SignPKCS1v15(rand.Reader, l.key, crypto.SHA256, toSign[:])
	if err != nil {
		return "", fmt.Errorf("sign: %w", err)
	}
	return l.endpoint.Scheme + "://" + l.endpoint.Host + resource + "?" + canonicalQuery +
		"&X-Goog-Signature=" + hex.EncodeToString(signature), nil
}

// percentEncode escapes all bytes but the unreserved ones of RFC 3986 and those in keep: url.PathEscape leaves more.
func percentEncode(s, keep string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte("-_.~", c) >= 0, strings.IndexByte(keep, c) >= 0:
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}
