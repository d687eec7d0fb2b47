package storage

import (
	"context"
	"net/url"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/sas"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/service"
	"github.com/rclone/rclone/backend/azureblob"
	"github.com/rclone/rclone/backend/azureblob/auth"
	"github.com/rclone/rclone/fs"
	"github.com/rclone/rclone/fs/config/configmap"
	"github.com/rclone/rclone/fs/config/configstruct"
)

// azureLinker makes shared access signatures for single blobs: by the account's key, or by a key that the service gives
// to who signed in with Microsoft Entra
// (https://learn.microsoft.com/rest/api/storageservices/delegate-access-with-shared-access-signature).
type azureLinker struct {
	endpoint  string // of the account, as clients reach it: scheme://host[/account]
	container string
	prefix    string
	encode    func(string) string // of rclone, for names that Azure refuses

	key        *service.SharedKeyCredential // nil: keys are delegated
	delegation delegation
}

// newAzureLinker returns nil where only somebody else's signature is known (sas_url), which names no type and no file
// and would hand out all that it opens, and for anonymous access.
func newAzureLinker(ctx context.Context, f fs.Fs, values configmap.Getter, public *url.URL) (linker, error) {
	var options azureblob.Options
	if err := configstruct.Set(values, &options); err != nil {
		return nil, err
	}
	l := &azureLinker{encode: options.Enc.FromStandardPath}
	l.container, l.prefix, _ = strings.Cut(f.Root(), "/")
	if l.container == "" {
		return nil, nil
	}
	// rclone's own function decides which of the settings count and where the account is; the key passes by here.
	signedIn, err := auth.NewClient(ctx, auth.NewClientOpts[service.Client, service.ClientOptions, service.SharedKeyCredential]{
		DefaultBaseURL:                   "blob.core.windows.net",
		RootContainer:                    l.container,
		Blob:                             true,
		NewClient:                        service.NewClient,
		NewClientWithNoCredential:        service.NewClientWithNoCredential,
		NewClientWithSharedKeyCredential: service.NewClientWithSharedKeyCredential,
		NewClientFromConnectionString: func(connection string, o *service.ClientOptions) (_ *service.Client, err error) {
			if l.key, err = connectionKey(connection); err != nil {
				return nil, err
			}
			return service.NewClientFromConnectionString(connection, o)
		},
		NewSharedKeyCredential: func(account, key string) (_ *service.SharedKeyCredential, err error) {
			l.key, err = service.NewSharedKeyCredential(account, key)
			return l.key, err
		},
		SetClientOptions: func(o *service.ClientOptions, p policy.ClientOptions) { o.ClientOptions = p },
	}, &options.Options)
	if err != nil {
		return nil, err
	}
	if l.key == nil && signedIn.Cred == nil {
		return nil, nil
	}
	l.delegation.client = signedIn.Client
	l.endpoint = strings.TrimRight(signedIn.Client.URL(), "/")
	if public != nil {
		l.endpoint = public.String() // the signature does not cover the host
	}
	return l, nil
}

// connectionKey returns the account's key of a connection string, or nil when it holds a signature instead.
func connectionKey(connection string) (*service.SharedKeyCredential, error) {
	var account, key string
	for part := range strings.SplitSeq(connection, ";") {
		switch name, value, _ := strings.Cut(part, "="); name {
		case "AccountName":
			account = value
		case "AccountKey":
			key = value
		}
	}
	if account == "" || key == "" {
		return nil, nil
	}
	return service.NewSharedKeyCredential(account, key)
}

func (l *azureLinker) link(ctx context.Context, key string, o LinkOptions) (string, error) {
	return l.linkUntil(ctx, key, o, time.Now().Add(o.TTL).UTC())
}

// linkUntil makes a link that ends at a given time. It names no beginning, so that a client's or our own clock that is
// fast does no harm.
func (l *azureLinker) linkUntil(ctx context.Context, key string, o LinkOptions, end time.Time) (string, error) {
	values := sas.BlobSignatureValues{
		Protocol:           sas.ProtocolHTTPS,
		ExpiryTime:         end,
		Permissions:        (&sas.BlobPermissions{Read: true}).String(),
		ContainerName:      l.container,
		BlobName:           l.encode(path.Join(l.prefix, key)),
		ContentType:        o.ContentType,
		ContentDisposition: o.Disposition,
	}
	if strings.HasPrefix(l.endpoint, "http:") {
		values.Protocol = sas.ProtocolHTTPSandHTTP
	}
	query, err := l.sign(ctx, values)
	if err != nil {
		return "", err
	}
	u := url.URL{Path: "/" + values.ContainerName + "/" + values.BlobName}
	return l.endpoint + u.EscapedPath() + "?" + query.Encode(), nil
}

func (l *azureLinker) sign(ctx context.Context, values sas.BlobSignatureValues) (sas.QueryParameters, error) {
	if l.key != nil {
		return values.SignWithSharedKey(l.key)
	}
	key, err := l.delegation.until(ctx, values.ExpiryTime)
	if err != nil {
		return sas.QueryParameters{}, err
	}
	return values.SignWithUserDelegation(key)
}

// delegation keeps the key that the service lent, and asks for another one before it ends.
type delegation struct {
	client *service.Client

	mu  sync.Mutex
	key *service.UserDelegationCredential
	end time.Time
}

// delegationPeriod is for how long a key is asked for. Seven days are the service's limit; whoever takes the identity's
// right to sign away waits no longer than this.
const delegationPeriod = 2 * time.Hour

// until returns a key that is good for signatures that end by then.
func (d *delegation) until(ctx context.Context, end time.Time) (*service.UserDelegationCredential, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.key != nil && end.Before(d.end) {
		return d.key, nil
	}
	// The request is everybody's, not the caller's alone.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTimeout)
	defer cancel()
	now := time.Now().UTC()
	d.end = now.Add(delegationPeriod).Truncate(time.Second)
	key, err := d.client.GetUserDelegationCredential(ctx, service.KeyInfo{
		Start:  to.Ptr(now.Add(-MaxLinkTTL).Format(sas.TimeFormat)), // clocks differ
		Expiry: to.Ptr(d.end.Format(sas.TimeFormat)),
	}, nil)
	d.key = key
	return key, err
}
