package s3

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/minio/minio-go/v7/pkg/encrypt"
	"github.com/minio/minio-go/v7/pkg/s3utils"
	"github.com/minio/minio-go/v7/pkg/tags"

	"sluice/storage"
)

const (
	// MinPartBytes is the least that S3 takes as a part that is not the last.
	MinPartBytes = 5 << 20

	defaultPartBytes     = 8 << 20
	defaultMaxParts      = 10_000
	defaultPartsAtOnce   = 4
	defaultAttempts      = 6
	defaultStallTimeout  = 30 * time.Second
	defaultAnswerTimeout = 5 * time.Minute
	defaultRegion        = "us-east-1"
	maxPrefixBytes       = 255 // with a key less than the 1,024 bytes of S3
	maxMemoryPartBytes   = 64 << 20
	defaultIdleConns     = 32
)

// Options say which bucket, and how to use it.
type Options struct {
	Endpoint string // host or host:port
	Insecure bool   // http instead of https
	Profile  string // the kind of server: aws, r2, scaleway, minio or versitygw; "": as the host's name says
	Bucket   string
	Region   string // "": that of the profile or the host, at Amazon the bucket's own, else us-east-1
	Prefix   string // what stands before every key; "" or a folder with its slash at the end

	// The keys. If AccessKey is empty, they are taken from AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and
	// AWS_SESSION_TOKEN.
	AccessKey, SecretKey, SessionToken string

	// SSE has the server encrypt the objects: "AES256" with keys of its own, "kms" with the bucket's key, "kms:ID" with that one.
	// Empty means what the bucket says.
	SSE string

	// StorageClass is that of objects of 128 KiB and more; what is smaller keeps the bucket's, which costs less. Empty means all.
	StorageClass string

	// Tags go with every object, up to 10.
	Tags map[string]string

	// PathStyle says whether the bucket is part of the path rather than of the host; nil: as the profile says.
	PathStyle *bool

	// PartBytes is the size of the first parts; 0 means 8 MiB, and 5 MiB is the least.
	PartBytes int64

	// MaxParts is how many parts an object may have; 0 means what the profile says, 10,000 at most.
	MaxParts int

	// EqualParts never lets parts grow, as it is with the profile of R2. Of an object of which neither the size is known nor the most that
	// may come, there can be MaxParts times PartBytes.
	EqualParts bool

	// PartsAtOnce is how many parts of one object may be on their way; 0 means 4.
	PartsAtOnce int

	// MemoryBytes bounds the parts of all objects that are held in memory; 0 means what those of one object take, 32 MiB
	// unless PartBytes or PartsAtOnce say more. Who writes more waits. Parts above 64 MiB are held in files in
	// TempFolder instead; "" means the system's.
	MemoryBytes int64
	TempFolder  string

	// Attempts is how often a request is made before its error counts; 0 means 6.
	Attempts int

	// StallTimeout is how long a request or an answer on its way may make no progress at all; 0 means 30 s.
	StallTimeout time.Duration

	// AnswerTimeout is how long the first byte of an answer may take; 0 means 5 minutes. Some servers need time to
	// put a large object together.
	AnswerTimeout time.Duration

	// Record names a file in which open uploads are written down, so that the next process can remove what this one
	// leaves. Empty means none: then only servers that list open uploads by prefix can be swept.
	Record string

	// Transport makes the requests; nil means one that trusts the system's roots and those in SSL_CERT_FILE.
	Transport http.RoundTripper

	// Logger is told what is swept; nil means slog.Default().
	Logger *slog.Logger
}

// String names the bucket and tells no secret.
func (o Options) String() string {
	scheme := "https"
	if o.Insecure {
		scheme = "http"
	}
	return fmt.Sprintf("%s://%s/%s?prefix=%s", scheme, o.Endpoint, o.Bucket, url.QueryEscape(o.Prefix))
}

// LogValue is String.
func (o Options) LogValue() slog.Value { return slog.StringValue(o.String()) }

// ParseURL reads options from
//
//	https://KEY:SECRET@host:port/bucket?profile=...&region=...&prefix=...&sse=...&storage-class=...&tag=NAME:VALUE
//
// in which all but host and bucket may be missing. There may be several tags, and path-style=true, part-size=MiB, max-parts=N and
// equal-parts=true. Its errors never contain the URL, which is a secret.
func ParseURL(raw string) (Options, error) {
	u, err := url.Parse(raw)
	if err != nil {
		// The *url.Error around the reason would say all of it.
		var parse *url.Error
		if errors.As(err, &parse) {
			err = errors.New("is not a URL")
		}
		return Options{}, fmt.Errorf("s3: the store's address %w", err)
	}
	secret, _ := u.User.Password()
	o := Options{
		Endpoint:  u.Host,
		Insecure:  u.Scheme == "http",
		Bucket:    strings.Trim(u.Path, "/"),
		AccessKey: u.User.Username(),
		SecretKey: secret,
	}
	if u.Scheme != "http" && u.Scheme != "https" {
		return Options{}, fmt.Errorf("s3: the store's address begins with %q; want http or https", u.Scheme)
	}
	if u.Fragment != "" || u.Opaque != "" {
		return Options{}, errors.New("s3: the store's address has a part that means nothing here; is a # unescaped?")
	}
	if err := o.parseQuery(u.RawQuery); err != nil {
		return Options{}, fmt.Errorf("s3: the store's address: %w", err)
	}
	return o, o.check()
}

func (o *Options) parseQuery(raw string) error {
	query, err := url.ParseQuery(raw)
	if err != nil {
		return errors.New("the query is malformed")
	}
	for _, tag := range query["tag"] {
		name, value, ok := strings.Cut(tag, ":")
		if !ok {
			return fmt.Errorf("tag=%q is not NAME:VALUE", tag)
		}
		if o.Tags == nil {
			o.Tags = make(map[string]string)
		}
		o.Tags[name] = value
	}
	delete(query, "tag")
	for name, values := range query {
		if err := o.parseParameter(name, values[len(values)-1]); err != nil {
			return err
		}
	}
	return nil
}

func (o *Options) parseParameter(name, value string) error {
	var err error
	switch name {
	case "profile":
		o.Profile = value
	case "region":
		o.Region = value
	case "sse":
		o.SSE = value
	case "storage-class":
		o.StorageClass = value
	case "prefix":
		o.Prefix = value
		if value != "" && !strings.HasSuffix(value, "/") {
			o.Prefix += "/"
		}
	case "path-style":
		style, parseErr := strconv.ParseBool(value)
		o.PathStyle, err = &style, parseErr
	case "part-size":
		o.PartBytes, err = strconv.ParseInt(value, 10, 32)
		o.PartBytes <<= 20
	case "max-parts":
		o.MaxParts, err = strconv.Atoi(value)
	case "equal-parts":
		o.EqualParts, err = strconv.ParseBool(value)
	default:
		return fmt.Errorf("%q is no parameter", name)
	}
	if err != nil {
		return fmt.Errorf("%s=%q is not what it takes", name, value)
	}
	return nil
}

// check says what is wrong with o.
func (o Options) check() error {
	switch {
	case o.Endpoint == "":
		return errors.New("s3: no host is given")
	case s3utils.CheckValidBucketName(o.Bucket) != nil:
		return fmt.Errorf("s3: %q is no bucket; the path is the bucket, and keys may get a ?prefix=", o.Bucket)
	case o.PartBytes != 0 && (o.PartBytes < MinPartBytes || o.PartBytes > maxPartBytes):
		return fmt.Errorf("s3: parts of %d bytes; from %d to %d are possible", o.PartBytes, MinPartBytes, maxPartBytes)
	case o.MaxParts < 0 || o.MaxParts > defaultMaxParts:
		return fmt.Errorf("s3: %d parts at most; up to %d are possible", o.MaxParts, defaultMaxParts)
	case len(o.Prefix) > maxPrefixBytes:
		return fmt.Errorf("s3: the prefix is longer than %d bytes", maxPrefixBytes)
	case o.Prefix != "" && !strings.HasSuffix(o.Prefix, "/"):
		return errors.New("s3: the prefix must end with a slash")
	case strings.ContainsFunc(o.StorageClass, notClass):
		return fmt.Errorf("s3: %q is no storage class; they are like STANDARD_IA", o.StorageClass)
	}
	if _, err := o.encryption(); err != nil {
		return err
	}
	if _, err := tags.NewTags(o.Tags, true); err != nil {
		return fmt.Errorf("s3: the tags: %w", err)
	}
	if err := checkProfile(o.Profile); err != nil {
		return err
	}
	return storage.CheckPrefix(o.Prefix)
}

func notClass(r rune) bool { return !('A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '_') }

// encryption is how the server is to encrypt; nil: as the bucket says.
func (o Options) encryption() (encrypt.ServerSide, error) {
	kind, key, _ := strings.Cut(o.SSE, ":")
	switch {
	case o.SSE == "":
		return nil, nil
	case o.SSE == "AES256":
		return encrypt.NewSSE(), nil
	case kind == "kms":
		return encrypt.NewSSEKMS(key, nil)
	}
	return nil, fmt.Errorf("s3: sse %q is not AES256, kms or kms:KEY", o.SSE)
}

// withDefaults says what the zero values mean.
func (o Options) withDefaults() Options {
	if p := o.profile(); p != nil {
		o.MaxParts, o.Region, o.EqualParts = cmp.Or(o.MaxParts, p.maxParts), cmp.Or(o.Region, p.region), o.EqualParts || p.equal
		if o.PathStyle == nil {
			o.PathStyle = &p.pathStyle
		}
	}
	o.PartBytes = cmp.Or(o.PartBytes, defaultPartBytes)
	o.MaxParts = cmp.Or(o.MaxParts, defaultMaxParts)
	o.PartsAtOnce = cmp.Or(o.PartsAtOnce, defaultPartsAtOnce)
	o.MemoryBytes = cmp.Or(o.MemoryBytes, int64(o.PartsAtOnce)*min(o.PartBytes, maxMemoryPartBytes))
	o.Attempts = cmp.Or(o.Attempts, defaultAttempts)
	o.StallTimeout = cmp.Or(o.StallTimeout, defaultStallTimeout)
	o.AnswerTimeout = cmp.Or(o.AnswerTimeout, defaultAnswerTimeout)
	o.TempFolder = cmp.Or(o.TempFolder, os.TempDir())
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return o
}
