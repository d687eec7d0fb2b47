package storage

import (
	"errors"
	"testing"

	"github.com/rclone/rclone/backend/s3"
)

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
