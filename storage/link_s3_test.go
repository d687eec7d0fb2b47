package storage

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/rclone/rclone/backend/s3"
)

// signatureV4 computes the signature of a presigned GET as
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html says.
func signatureV4(secret, date, region, host, resource, canonicalQuery string) string {
	mac := func(key []byte, text string) []byte {
		h := hmac.New(sha256.New, key)
		io.WriteString(h, text)
		return h.Sum(nil)
	}
	request := sha256.Sum256([]byte("GET\n" + resource + "\n" + canonicalQuery + "\nhost:" + host + "\n\nhost\nUNSIGNED-PAYLOAD"))
	scope := date[:8] + "/" + region + "/s3/aws4_request"
	toSign := "AWS4-HMAC-SHA256\n" + date + "\n" + scope + "\n" + hex.EncodeToString(request[:])
	key := mac(mac(mac(mac([]byte("AWS4"+secret), date[:8]), region), "s3"), "aws4_request")
	return hex.EncodeToString(mac(key, toSign))
}

// TestSignatureV4 holds the function above against the example of that page.
func TestSignatureV4(t *testing.T) {
	got := signatureV4("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "20130524T000000Z", "us-east-1", "examplebucket.s3.amazonaws.com", "/test.txt",
		"X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"+
			"&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host")
	if want := "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// TestS3Signature: the signature is of the host that clients reach, with and without the bucket in its name.
func TestS3Signature(t *testing.T) {
	options := LinkOptions{ContentType: "application/gzip", Disposition: `attachment; filename="a b+c.tgz"; filename*=UTF-8''%C3%A4`, TTL: 5 * time.Minute}
	for _, test := range []struct {
		name     string
		where    location
		host     string
		resource string
	}{
		{"path", location{"https://s3.example.com", "eu-west-1", true}, "s3.example.com", "/bucket/pre%20fix/b/ab/key"},
		{"port", location{"http://127.0.0.1:7070", "us-east-1", true}, "127.0.0.1:7070", "/bucket/pre%20fix/b/ab/key"},
		{"host", location{"https://s3.eu-west-1.example.com", "eu-west-1", false}, "bucket.s3.eu-west-1.example.com", "/pre%20fix/b/ab/key"},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := &s3Linker{bucket: "bucket", prefix: "pre fix", client: test.where.presigner(credentials.NewStaticCredentialsProvider("id", "secret", ""))}
			link, err := l.link(t.Context(), "b/ab/key", options)
			if err != nil {
				t.Fatal(err)
			}
			u, err := url.Parse(link)
			if err != nil {
				t.Fatal(err)
			}
			if u.Host != test.host || u.EscapedPath() != test.resource {
				t.Errorf("goes to %s%s", u.Host, u.EscapedPath())
			}
			query := u.Query()
			for name, want := range map[string]string{
				"X-Amz-SignedHeaders": "host", "X-Amz-Expires": "300",
				"response-content-type": options.ContentType, "response-content-disposition": options.Disposition,
			} {
				if got := query.Get(name); got != want {
					t.Errorf("%s = %q, want %q", name, got, want)
				}
			}
			signature := query.Get("X-Amz-Signature")
			query.Del("X-Amz-Signature")
			want := signatureV4("secret", query.Get("X-Amz-Date"), test.where.region, test.host, test.resource, strings.ReplaceAll(query.Encode(), "+", "%20"))
			if signature != want {
				t.Errorf("signature %s, want %s", signature, want)
			}
		})
	}
}

func TestReadSample(t *testing.T) {
	const signature = "?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKID%2F20260102%2Feu-west-1%2Fs3%2Faws4_request&x-id=GetObject"
	for _, test := range []struct {
		name, sample string
		want         location
		err          error
	}{
		{"path style", "http://127.0.0.1:7070/bkt/pre/b/key" + signature, location{"http://127.0.0.1:7070", "eu-west-1", true}, nil},
		{"host style", "https://bkt.s3.eu-west-1.amazonaws.com/pre/b/key" + signature, location{"https://s3.eu-west-1.amazonaws.com", "eu-west-1", false}, nil},
		{"behind a path", "https://example.com/s3/bkt/pre/b/key" + signature, location{"https://example.com/s3", "eu-west-1", true}, nil},
		{"version 2 signature", "https://example.com/bkt/pre/b/key?AWSAccessKeyId=k&Signature=s", location{}, ErrNoLink},
		{"provider without x-id", "https://example.com/bkt/pre/b/key?X-Amz-Credential=k%2F2%2Fr%2Fs3%2Faws4_request", location{}, ErrNoLink},
		{"another object", "https://example.com/bkt/other" + signature, location{}, ErrNoLink},
	} {
		got, err := readSample(test.sample, "bkt", "pre/b/key")
		if got != test.want || !errors.Is(err, test.err) {
			t.Errorf("%s: %+v, %v", test.name, got, err)
		}
	}
	if _, err := readSample("http://\x00", "bkt", "key"); err == nil {
		t.Error("a broken URL was accepted")
	}
}

func TestLinkCredentials(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "from-env")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	t.Setenv("AWS_CONFIG_FILE", t.TempDir()+"/none")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", t.TempDir()+"/none")
	for _, test := range []struct {
		name    string
		options s3.Options
		want    string
		err     error
	}{
		{"configured", s3.Options{AccessKeyID: "own", SecretAccessKey: "s"}, "own", nil},
		{"configured, though the environment is allowed", s3.Options{AccessKeyID: "own", SecretAccessKey: "s", EnvAuth: true}, "own", nil},
		{"environment", s3.Options{EnvAuth: true}, "from-env", nil},
		{"anonymous", s3.Options{}, "", ErrNoLink},
	} {
		l := &s3Linker{options: test.options}
		provider, err := l.credentials(t.Context())
		if !errors.Is(err, test.err) {
			t.Errorf("%s: %v", test.name, err)
		}
		if err != nil {
			continue
		}
		if got, err := provider.Retrieve(t.Context()); err != nil || got.AccessKeyID != test.want {
			t.Errorf("%s: key %q, %v", test.name, got.AccessKeyID, err)
		}
	}
}
