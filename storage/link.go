package storage

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/rclone/rclone/fs"
	"github.com/rclone/rclone/fs/config/configmap"
)

// linker makes URLs for one kind of backend.
type linker interface {
	// link returns a URL of an object, which anybody can GET for as long as l.TTL says.
	link(ctx context.Context, key string, l LinkOptions) (string, error)
}

// linkers are the backends that can be signed for, by their names in rclone. rclone's own PublicLink is no way to do it:
// it cannot say what type and name the answer has, some backends have none, and others share the object for good. Each
// of these reads the settings that rclone's backend was made of, and returns nil where those cannot sign; the server
// then sends the bytes itself.
var linkers = map[string]func(context.Context, fs.Fs, configmap.Getter, *url.URL) (linker, error){
	"s3":                   newS3Linker,
	"azureblob":            newAzureLinker,
	"google cloud storage": newGCSLinker,
}

// newLinker returns the signer for a backend, or nil if there is none.
func newLinker(ctx context.Context, backend string, f fs.Fs, values configmap.Getter, opts Options) (linker, error) {
	public, err := parseEndpoint(opts.PublicEndpoint)
	if err != nil {
		return nil, err
	}
	if signer := linkers[backend]; signer != nil {
		return signer(ctx, f, values, public)
	}
	return nil, nil
}

// parseEndpoint reads Options.PublicEndpoint; empty gives nil.
func parseEndpoint(endpoint string) (*url.URL, error) {
	if endpoint == "" {
		return nil, nil
	}
	u, err := url.Parse(strings.TrimRight(endpoint, "/"))
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.RawQuery != "" || u.User != nil {
		return nil, fmt.Errorf("public endpoint %q is not a URL of scheme and host", endpoint)
	}
	return u, nil
}

// lifetime is how long a link lives that was asked to live for ttl, where 0 means the store's default.
func lifetime(ttl, standard time.Duration) time.Duration {
	if ttl <= 0 {
		ttl = standard
	}
	return min(ttl, MaxLinkTTL)
}
