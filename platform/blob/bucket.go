package blob

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"parley/platform/fault"
)

// BucketConfig says which bucket of a service that speaks S3 is used.
type BucketConfig struct {
	URL       string // s3://HOST[:PORT]/BUCKET[/PREFIX][?region=NAME]; s3+http:// without TLS, for a service on this machine
	AccessKey string
	SecretKey string
	Transport http.RoundTripper // the way out to it
}

// The address schemes of a bucket.
const (
	bucketScheme      = "s3"
	bucketSchemePlain = "s3+http"
)

// IsBucket tells whether a text is the address of a bucket.
func IsBucket(text string) bool {
	return strings.HasPrefix(text, bucketScheme+"://") || IsPlainBucket(text)
}

// IsPlainBucket tells whether it is one that is spoken to without TLS.
func IsPlainBucket(text string) bool { return strings.HasPrefix(text, bucketSchemePlain+"://") }

// partBytes is how much of an upload is kept in memory. S3 takes 10,000 parts, so 160 GB fit.
const partBytes = 16 << 20

// Bucket is a store in a bucket, under a prefix.
type Bucket struct {
	client       *minio.Client
	name, prefix string
	shown        string
}

// OpenBucket reads the address and asks nothing yet.
func OpenBucket(c BucketConfig) (*Bucket, error) {
	u, err := url.Parse(c.URL)
	if err != nil || u.Host == "" || u.User != nil || !IsBucket(c.URL) {
		return nil, fault.New(fault.Invalid, "The address of the bucket is not right. Write s3://HOST/BUCKET/FOLDER; the keys belong into their own settings.")
	}
	name, prefix, _ := strings.Cut(strings.Trim(u.Path, "/"), "/")
	if name == "" {
		return nil, fault.New(fault.Invalid, "The address %s names no bucket. Write s3://HOST/BUCKET/FOLDER.", c.URL)
	}
	if prefix != "" {
		if err := checkName(prefix); err != nil {
			return nil, fault.New(fault.Invalid, "The folder %q in the bucket's address may have letters, digits, dots, hyphens and underscores only.", prefix)
		}
		prefix += "/"
	}
	if c.Transport == nil {
		return nil, fault.New(fault.Unavailable, "There is no way out to the bucket %s. Only the bucket that backup.target names can be used.", c.URL)
	}
	client, err := minio.New(u.Host, &minio.Options{
		Creds: credentials.NewStaticV4(c.AccessKey, c.SecretKey, ""), Secure: u.Scheme == bucketScheme, Transport: c.Transport,
		Region: cmp.Or(u.Query().Get("region"), "us-east-1"), MaxRetries: 3,
	})
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "The address of the bucket, %s, is not right: %s.", c.URL, err)
	}
	return &Bucket{client: client, name: name, prefix: prefix, shown: u.Scheme + "://" + u.Host + "/" + name + "/" + strings.TrimSuffix(prefix, "/")}, nil
}

func (b *Bucket) String() string { return strings.TrimSuffix(b.shown, "/") }

// Put uploads in parts, and removes older versions that a bucket with versioning keeps.
func (b *Bucket) Put(ctx context.Context, name string, from io.Reader) error {
	if err := checkName(name); err != nil {
		return err
	}
	from, size, err := measure(&cancelled{ctx, from})
	if err != nil {
		return err
	}
	if _, err := b.client.PutObject(ctx, b.name, b.prefix+name, from, size,
		// What is sealed needs no other checksum.
		minio.PutObjectOptions{PartSize: partBytes, ContentType: "application/octet-stream", DisableContentSha256: true}); err != nil {
		return b.failed(err)
	}
	return b.prune(ctx, name, false)
}

// measure tells the size of what is small, and -1 of what is not: services want to know it of what comes in one part.
func measure(from io.Reader) (io.Reader, int64, error) {
	const small = 64 << 10
	head := make([]byte, small)
	n, err := io.ReadFull(from, head)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return bytes.NewReader(head[:n]), int64(n), nil
	}
	return io.MultiReader(bytes.NewReader(head[:n]), from), -1, err
}

// prune removes the versions of a name: the older ones, or all.
func (b *Bucket) prune(ctx context.Context, name string, all bool) error {
	for o := range b.client.ListObjectsIter(ctx, b.name, minio.ListObjectsOptions{Prefix: b.prefix + name, WithVersions: true, Recursive: true}) {
		if o.Err != nil {
			if code := minio.ToErrorResponse(o.Err).Code; code == minio.NotImplemented || code == minio.MethodNotAllowed {
				return nil // a service without versions
			}
			return b.failed(o.Err)
		}
		if o.Key != b.prefix+name || o.IsLatest && !all || o.VersionID == "" || o.VersionID == "null" && o.IsLatest {
			continue
		}
		if err := b.client.RemoveObject(ctx, b.name, o.Key, minio.RemoveObjectOptions{VersionID: o.VersionID}); err != nil {
			return b.failed(err)
		}
	}
	return nil
}

// Get downloads.
func (b *Bucket) Get(ctx context.Context, name string) (io.ReadCloser, error) {
	if err := checkName(name); err != nil {
		return nil, err
	}
	o, err := b.client.GetObject(ctx, b.name, b.prefix+name, minio.GetObjectOptions{})
	if err == nil {
		_, err = o.Stat() // asks the service: opening alone does not
	}
	if minio.ToErrorResponse(err).Code == minio.NoSuchKey {
		return nil, notThere(name, b.String())
	}
	if err != nil {
		return nil, b.failed(err)
	}
	return o, nil
}

// List asks for the names under the prefix.
func (b *Bucket) List(ctx context.Context, prefix string) ([]Info, error) {
	var out []Info
	for o := range b.client.ListObjectsIter(ctx, b.name, minio.ListObjectsOptions{Prefix: b.prefix + prefix, Recursive: true}) {
		if o.Err != nil {
			return nil, b.failed(o.Err)
		}
		out = append(out, Info{strings.TrimPrefix(o.Key, b.prefix), o.Size, o.LastModified})
	}
	slices.SortFunc(out, func(a, b Info) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

// Delete removes every version.
func (b *Bucket) Delete(ctx context.Context, name string) error {
	if err := checkName(name); err != nil {
		return err
	}
	if err := b.client.RemoveObject(ctx, b.name, b.prefix+name, minio.RemoveObjectOptions{}); err != nil {
		return b.failed(err)
	}
	return b.prune(ctx, name, true)
}

func (b *Bucket) failed(err error) error {
	if fault.KindOf(err) != fault.Internal || errors.Is(err, context.Canceled) {
		return err
	}
	said, answered := errors.AsType[minio.ErrorResponse](err)
	switch {
	case !answered:
		return fault.Wrap(fault.Unavailable, err, "The bucket %s does not answer. Check its address and this machine's connection.", b)
	case slices.Contains([]string{minio.AccessDenied, minio.InvalidAccessKeyID, minio.SignatureDoesNotMatch}, said.Code):
		return fault.Wrap(fault.Unavailable, err, "The bucket %s does not let us in. Check its keys, and that they may list, read, write and delete there, versions included.", b)
	case said.Code == minio.NoSuchBucket:
		return fault.Wrap(fault.Unavailable, err, "There is no bucket %s. Make it, or correct its address.", b)
	default:
		return fault.Wrap(fault.Unavailable, err, "The bucket %s answered with %s. Check the bucket, and try again.", b, said.Code)
	}
}
