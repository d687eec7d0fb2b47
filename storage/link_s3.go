package storage

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/rclone/rclone/backend/s3"
	"github.com/rclone/rclone/fs"
	"github.com/rclone/rclone/fs/config/configmap"
	"github.com/rclone/rclone/fs/config/configstruct"
)

// s3Linker presigns GET requests. rclone's own links cannot name the response's headers, so it signs with a client of
// its own, built from the same settings.
type s3Linker struct {
	fs      fs.Fs
	options s3.Options
	bucket  string
	prefix  string
	public  *url.URL // where clients reach the server; nil: where we do

	mu     sync.Mutex
	client *awss3.PresignClient // made by the first link
}

func newS3Linker(_ context.Context, f fs.Fs, values configmap.Getter, public *url.URL) (linker, error) {
	l := &s3Linker{fs: f, public: public}
	if err := configstruct.Set(values, &l.options); err != nil {
		return nil, err
	}
	l.bucket, l.prefix, _ = strings.Cut(f.Root(), "/")
	o := &l.options
	if l.bucket == "" || o.V2Auth || o.RoleARN != "" || o.SSECustomerKey != "" || o.SSECustomerKeyBase64 != "" {
		return nil, nil // addressed, signed or decrypted in a way that our client does not know
	}
	return l, nil
}

func (l *s3Linker) link(ctx context.Context, key string, o LinkOptions) (string, error) {
	key = path.Join(l.prefix, key)
	client, err := l.presigner(ctx, key)
	if err != nil {
		return "", err
	}
	request := &awss3.GetObjectInput{Bucket: aws.String(l.bucket), Key: aws.String(key)}
	if o.ContentType != "" {
		request.ResponseContentType = aws.String(o.ContentType)
	}
	if o.Disposition != "" {
		request.ResponseContentDisposition = aws.String(o.Disposition)
	}
	signed, err := client.PresignGetObject(ctx, request, awss3.WithPresignExpires(o.TTL))
	if err != nil {
		return "", err
	}
	return signed.URL, nil
}

// presigner returns the signing client, making it at the first call. Which host, addressing style and region a provider
// wants is a table inside rclone; a link made by rclone shows the outcome. That sample costs one HEAD, once.
func (l *s3Linker) presigner(ctx context.Context, key string) (*awss3.PresignClient, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.client != nil {
		return l.client, nil
	}
	sample, err := l.fs.Features().PublicLink(ctx, strings.TrimPrefix(key, l.prefix+"/"), fs.Duration(time.Minute), false)
	if err != nil {
		return nil, err
	}
	where, err := readSample(sample, l.bucket, key)
	if err != nil {
		return nil, err
	}
	if l.public != nil {
		where.endpoint = l.public.String() // the signature covers the host
	}
	identity, err := l.credentials(ctx)
	if err != nil {
		return nil, err
	}
	l.client = where.presigner(identity)
	return l.client, nil
}

// presigner returns a client that signs for the location.
func (where location) presigner(identity aws.CredentialsProvider) *awss3.PresignClient {
	return awss3.NewPresignClient(awss3.New(awss3.Options{
		Region:       where.region,
		BaseEndpoint: aws.String(where.endpoint),
		UsePathStyle: where.pathStyle,
		Credentials:  identity,
		// Otherwise a checksum header is signed that browsers and package clients would have to send.
		ResponseChecksumValidation: aws.ResponseChecksumValidationWhenRequired,
	}))
}

// credentials follows the order of rclone's backend: keys of the configuration, else the environment if allowed.
func (l *s3Linker) credentials(ctx context.Context) (aws.CredentialsProvider, error) {
	o := &l.options
	switch {
	case o.AccessKeyID != "" && o.SecretAccessKey != "":
		return credentials.NewStaticCredentialsProvider(o.AccessKeyID, o.SecretAccessKey, o.SessionToken), nil
	case !o.EnvAuth:
		return nil, fmt.Errorf("%w: anonymous access cannot sign", ErrNoLink)
	}
	var load []func(*awsconfig.LoadOptions) error
	if o.Profile != "" {
		load = append(load, awsconfig.WithSharedConfigProfile(o.Profile))
	}
	if o.SharedCredentialsFile != "" {
		load = append(load, awsconfig.WithSharedConfigFiles([]string{o.SharedCredentialsFile}))
	}
	loaded, err := awsconfig.LoadDefaultConfig(context.WithoutCancel(ctx), load...)
	return loaded.Credentials, err
}

// location is what a presigned URL reveals about where and how a provider is addressed.
type location struct {
	endpoint  string // scheme://host[/base]
	region    string // of the signature
	pathStyle bool   // bucket in the path, not in the host name
}

// readSample takes a presigned URL of bucket and key apart.
func readSample(sample, bucket, key string) (location, error) {
	u, err := url.Parse(sample)
	if err != nil {
		return location{}, errors.New("backend made a link that is no URL") // its text holds a signature
	}
	query := u.Query()
	scope := strings.Split(query.Get("X-Amz-Credential"), "/") // id/date/region/s3/aws4_request
	if len(scope) < 5 || !query.Has("x-id") {
		// An older signature, or a provider that signs requests of a special form: our client cannot do that.
		return location{}, ErrNoLink
	}
	where := location{region: scope[len(scope)-3]}
	base, ok := strings.CutSuffix(u.Path, "/"+bucket+"/"+key)
	if ok {
		where.pathStyle = true
	} else {
		base, ok = strings.CutSuffix(u.Path, "/"+key)
		u.Host, _ = strings.CutPrefix(u.Host, bucket+".")
	}
	if !ok {
		return location{}, fmt.Errorf("%w: unexpected form of address", ErrNoLink)
	}
	where.endpoint = u.Scheme + "://" + u.Host + base
	return where, nil
}
