package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"sluice/relay"
	"sluice/relay/archive"
	"sluice/relay/hook"
	"sluice/relay/httpd"
	"sluice/relay/sockets"
	"sluice/sio"
	"sluice/sio/engine"
	"sluice/storage"
	"sluice/storage/dir"
	"sluice/storage/s3"
	"sluice/web"
)

// shutdownTimeout is how long a server that was told to end takes at most to do so.
const shutdownTimeout = 8 * time.Second

// minIdleTime is well over the 10 s after which a publisher that is slowed down still counts as one that brings something.
const minIdleTime = time.Minute

// Serve is the command `sluice serve`.
type Serve struct {
	Addr       string `default:"127.0.0.1:3000" env:"SLUICE_ADDR" placeholder:"HOST:PORT" help:"Address to listen on (${default})."`
	Data       string `default:"./sluice-data" env:"SLUICE_DATA" placeholder:"DIR" help:"Where the spool is, and the archive unless --s3 is given (${default})."`
	S3         string `name:"s3" env:"SLUICE_S3" placeholder:"URL" help:"Archive to S3: https://KEY:SECRET@host:port/bucket?region=...; ?prefix=, ?profile= (aws, r2, scaleway, minio, versitygw), ?sse= (AES256, kms, kms:KEY), ?storage-class= and ?tag=NAME:VALUE as well. Keys may come from the AWS_ variables."`
	Hook       string `env:"SLUICE_HOOK" placeholder:"URL" help:"Tell this URL by a POST when a stream has begun, has ended, is archived (Standard Webhooks), until it answers 2xx, for three days at most."`
	HookSecret string `env:"SLUICE_HOOK_SECRET" placeholder:"TEXT" help:"Sign what --hook sends with this: any text, or whsec_ and base64."`

	Secret  string   `env:"SLUICE_SECRET" placeholder:"TEXT" help:"Ask for tokens signed with this (HS256, see sluice token)."`
	Open    bool     `env:"SLUICE_OPEN" help:"Listen on an address that others can reach without asking for tokens."`
	TLSCert string   `name:"tls-cert" env:"SLUICE_TLS_CERT" placeholder:"FILE" help:"Certificate in PEM: serve HTTPS."`
	TLSKey  string   `name:"tls-key" env:"SLUICE_TLS_KEY" placeholder:"FILE" help:"Its private key."`
	Origin  []string `env:"SLUICE_ORIGIN" placeholder:"URL" help:"Another origin whose pages may use this server, like https://app.example.org; repeat it for more, or * for all."`

	WebTransport bool `name:"webtransport" env:"SLUICE_WEBTRANSPORT" help:"Let clients in over WebTransport, too, at the same port of UDP; needs --tls-cert."`

	Client  string `env:"SLUICE_CLIENT" placeholder:"DIR" help:"Serve the Socket.IO client in this folder, npm's socket.io-client/dist for one, instead of sluice's own."`
	Deflate bool   `env:"SLUICE_DEFLATE" help:"Compress events over WebSocket (permessage-deflate) with clients that offer it. They compress what they send, too, films included: media that goes out is never compressed by it."`

	MaxUpload    Bytes         `default:"16GiB" env:"SLUICE_MAX_UPLOAD" placeholder:"SIZE" help:"Most bytes of one stream (${default})."`
	MaxRate      Bytes         `env:"SLUICE_MAX_RATE" placeholder:"SIZE" help:"Most bytes a second that one socket may publish, 64KiB at least: it is read no faster (no bound)."`
	MaxSpool     Bytes         `env:"SLUICE_MAX_SPOOL" placeholder:"SIZE" help:"Most bytes of all streams together under --data, stored or announced, until they are archived or forgotten: beyond it streams are refused, uploads of unknown size break off, and live streams are only relayed, until there is room again (what the disk holds)."`
	LiveKeep     LiveKeep      `default:"1h,1GiB" env:"SLUICE_LIVE_KEEP" placeholder:"TIME,SIZE" help:"How much of a live stream is kept under --data while it goes on, for who comes late; what is to be archived is kept at least until S3 has it (${default})."`
	Keep         []KeepRule    `env:"SLUICE_KEEP" placeholder:"[ROOM=]TIME" help:"How long archived streams are kept: 30d, 12h, or 0 for ever; with a room's name, or a prefix and *, of those rooms: studio*=7d. Of several the closest counts (for ever)."`
	Cache        Bytes         `env:"SLUICE_CACHE" placeholder:"SIZE" help:"Most bytes of archived streams that stay under --data, beside --max-spool, for who reads them next (none)."`
	MaxStreams   int           `default:"20000" env:"SLUICE_MAX_STREAMS" placeholder:"N" help:"Most streams that are open, or ended not long ago (${default})."`
	IdleTime     time.Duration `default:"1h" env:"SLUICE_IDLE_TIME" placeholder:"TIME" help:"How long a publisher may bring nothing before it loses its stream (${default})."`
	ResumeWindow time.Duration `default:"10m" env:"SLUICE_RESUME_WINDOW" placeholder:"TIME" help:"How long an upload waits for its publisher to come back (${default})."`
	PingInterval time.Duration `default:"25s" env:"SLUICE_PING_INTERVAL" placeholder:"TIME" help:"Time between pings to a client (${default})."`
	PingTimeout  time.Duration `default:"20s" env:"SLUICE_PING_TIMEOUT" placeholder:"TIME" help:"How long a client may take to answer one (${default})."`
}

// Run serves until the environment's context ends, then lets go of everything in an orderly way.
func (c *Serve) Run(env *Env) error {
	log := slog.New(slog.NewTextHandler(env.Stderr, nil))
	if err := c.check(); err != nil {
		return err
	}
	s, err := c.open(log)
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", c.Addr)
	if err != nil {
		return errors.Join(err, s.close(env.Ctx))
	}
	quic, err := c.openQUIC(s.io, l.Addr(), log)
	if err != nil {
		return errors.Join(err, l.Close(), s.close(env.Ctx))
	}
	collectWhenAsked(env.Ctx)
	fmt.Fprintf(env.Stderr, "listening on %s://%s\n", c.scheme(), l.Addr())
	failed := make(chan error, 1)
	go func() { failed <- c.serve(s.http, engine.Listener(l)) }()
	select {
	case err = <-failed:
	case err = <-quic.failed():
	case <-env.Ctx.Done():
		log.Info("ending")
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(env.Ctx), shutdownTimeout)
	defer cancel()
	return errors.Join(err, s.close(ctx), quic.close(ctx))
}

func (c *Serve) scheme() string {
	if c.TLSCert != "" {
		return "https"
	}
	return "http"
}

func (c *Serve) serve(s *http.Server, l net.Listener) error {
	var err error
	if c.TLSCert != "" {
		err = s.ServeTLS(l, c.TLSCert, c.TLSKey)
	} else {
		err = s.Serve(l)
	}
	if err == http.ErrServerClosed {
		return nil
	}
	return err
}

// check refuses what would be unsafe or cannot work before anything is opened.
func (c *Serve) check() error {
	if (c.TLSCert == "") != (c.TLSKey == "") {
		return errors.New("--tls-cert and --tls-key go together")
	}
	if c.TLSCert != "" {
		if _, err := tls.LoadX509KeyPair(c.TLSCert, c.TLSKey); err != nil {
			return fmt.Errorf("--tls-cert: %w", err)
		}
	}
	if c.WebTransport && c.TLSCert == "" {
		return errors.New("--webtransport needs a certificate: --tls-cert and --tls-key")
	}
	if !c.loopback() && c.Secret == "" && !c.Open {
		return fmt.Errorf("others can reach %s: ask for tokens with --secret, or say --open to let anybody in", c.Addr)
	}
	if client := c.client(); client != nil {
		if _, err := fs.Stat(client, "socket.io.js"); err != nil {
			return fmt.Errorf("--client: no Socket.IO client is there: %w", err)
		}
	}
	for _, o := range c.Origin {
		if u, err := url.Parse(o); o != "*" && (err != nil || u.Scheme == "" || u.Host == "" || u.Path != "") {
			return fmt.Errorf("--origin %s: an origin is like https://app.example.org", o)
		}
	}
	if _, err := hook.ParseSecret(c.HookSecret); err != nil {
		return fmt.Errorf("--hook-secret: %w", err)
	}
	if u, err := url.Parse(c.Hook); c.Hook != "" && (err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "") {
		return errors.New("--hook: a hook is like https://app.example.org/sluice")
	}
	if c.IdleTime < minIdleTime {
		return fmt.Errorf("--idle-time %v: it is %v at least", c.IdleTime, minIdleTime)
	}
	if c.MaxStreams < 1 {
		return fmt.Errorf("--max-streams %d: it is 1 at least", c.MaxStreams)
	}
	return nil
}

// client returns the folder of the Socket.IO client that pages get, nil for our own.
func (c *Serve) client() fs.FS {
	if c.Client == "" {
		return nil
	}
	return os.DirFS(c.Client)
}

// loopback reports whether only this machine can reach the address.
func (c *Serve) loopback() bool {
	host, _, err := net.SplitHostPort(c.Addr)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// server is what serves, from the store up to the doors.
type server struct {
	store   closer
	archive *archive.Archive
	hub     *relay.Hub
	hook    *hook.Hook // nil: nobody is told
	io      *sio.Server
	http    *http.Server
}

// closer is a store that can be closed.
type closer interface {
	storage.Store
	Close() error
}

func (c *Serve) open(log *slog.Logger) (s *server, err error) {
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return nil, fmt.Errorf("--data: %w", err)
	}
	s = &server{}
	if s.store, err = c.openStore(log); err != nil {
		return nil, err
	}
	s.archive = &archive.Archive{Store: s.store, Logger: log}
	for _, k := range c.Keep {
		s.archive.Rules = append(s.archive.Rules, archive.Rule(k))
	}
	s.hub = &relay.Hub{
		Dir: filepath.Join(c.Data, "spool"), Archive: s.archive, Logger: log,
		Limits: relay.Limits{
			UploadBytes: int64(c.MaxUpload), SpoolBytes: int64(c.MaxSpool), Streams: c.MaxStreams,
			ResumeWindow: c.ResumeWindow, IdleTime: c.IdleTime,
			LiveKeepTime: c.LiveKeep.time(), LiveKeepBytes: c.LiveKeep.size(), CacheBytes: int64(c.Cache),
		},
	}
	s.archive.Expired = s.hub.Expired
	if c.Secret != "" {
		a := access{secret: []byte(c.Secret)}
		s.hub.Identify, s.hub.Authorize = a.identify, a.authorize
	}
	if s.hook, err = c.openHook(log); err != nil {
		return nil, errors.Join(err, s.store.Close())
	}
	if s.hook != nil {
		s.hub.Tell = s.hook.Tell
	}
	if err := s.hub.Start(); err != nil {
		s.hook.Close()
		return nil, errors.Join(err, s.store.Close())
	}
	s.archive.Start()
	g := &guard{loopback: c.loopback(), origins: c.Origin}
	s.io = &sio.Server{
		PingInterval: c.PingInterval, PingTimeout: c.PingTimeout, CORS: sio.CORS{Origins: c.Origin, Credentials: true},
		Client: c.client(), Logger: log,
	}
	if c.Deflate {
		s.io.Deflate = &sio.Deflate{}
	}
	(&sockets.Door{Hub: s.hub, Limits: sockets.Limits{ByteRate: int64(c.MaxRate)}}).Mount(s.io.Of("/"))
	g.next = s.routes(g)
	s.http = &http.Server{
		Handler: g, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: maxHeaderBytes,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	return s, nil
}

// openHook starts what tells of streams; nil if nobody is to be told.
func (c *Serve) openHook(log *slog.Logger) (*hook.Hook, error) {
	if c.Hook == "" {
		return nil, nil
	}
	secret, err := hook.ParseSecret(c.HookSecret)
	if err != nil {
		return nil, err
	}
	h := &hook.Hook{URL: c.Hook, Secret: secret, Dir: filepath.Join(c.Data, "hook"), Logger: log}
	return h, h.Start()
}

func (c *Serve) openStore(log *slog.Logger) (closer, error) {
	if c.S3 == "" {
		return dir.Open(filepath.Join(c.Data, "archive"))
	}
	o, err := s3.ParseURL(c.S3)
	if err != nil {
		return nil, fmt.Errorf("--s3: %w", err)
	}
	o.Logger, o.Record = log, filepath.Join(c.Data, "s3-uploads")
	return s3.Open(o)
}

// routes lays out the doors.
func (s *server) routes(g *guard) http.Handler {
	door := &httpd.Door{Hub: s.hub, CheckOrigin: g.allows, CrossOrigin: len(g.origins) > 0}
	mux := http.NewServeMux()
	mux.Handle("/socket.io/", s.io)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", s.ready)
	mux.Handle("/", web.Handler())
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/media/") || strings.HasPrefix(r.URL.Path, "/rooms/") {
			door.ServeHTTP(w, r) // not by the mux, which would clean a room's name as if it were a path
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// ready answers whether what comes can be archived now. A spool that is full does not count: viewers need none.
func (s *server) ready(w http.ResponseWriter, r *http.Request) {
	if c, ok := s.store.(interface{ Check(context.Context) error }); ok {
		ctx, cancel := context.WithTimeout(r.Context(), 5*time.Second)
		defer cancel()
		if err := c.Check(ctx); err != nil {
			http.Error(w, "the archive does not answer", http.StatusServiceUnavailable)
			return
		}
	}
	fmt.Fprintln(w, "ok")
}

// close ends the doors first and the store last, so that what was acknowledged is kept.
func (s *server) close(ctx context.Context) error {
	err := s.io.Shutdown(ctx)
	if shut := s.http.Shutdown(ctx); shut != nil {
		err = errors.Join(err, s.http.Close()) // downloads that go on are cut
	}
	err = errors.Join(err, s.archive.Close(ctx), s.hub.Close(), s.store.Close())
	s.hook.Close()
	return err
}
