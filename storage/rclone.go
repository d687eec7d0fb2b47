package storage

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	localfs "github.com/rclone/rclone/backend/local"
	"github.com/rclone/rclone/fs"
	"github.com/rclone/rclone/fs/config"
	"github.com/rclone/rclone/fs/config/configfile"
	"github.com/rclone/rclone/fs/config/configmap"
	"github.com/rclone/rclone/fs/fspath"
	"github.com/rclone/rclone/lib/atexit"
)

// defaults replace defaults of backends that suit rclone's command line and not a server. They hold for remotes inside
// wrappers (crypt, union ...) too. The connection string, the environment (RCLONE_S3_...) and rclone.conf override them.
//
//   - no_check_bucket, no_check_container: the first upload would try to create the bucket, and a mistyped one would
//     come into being.
//   - no_head: the HEAD after each PUT tells nothing the PUT did not.
//   - upload_cutoff: what is not gathered in memory first goes in parts, see gatherLimit.
//   - chunk_size, upload_concurrency: what one multipart upload holds in memory is their product. rclone raises the
//     chunk when a known size would need more than 10,000 of them; 8 MiB ends an upload of unknown size at 78 GiB.
//   - disable_checksum: it stores an MD5 in the metadata; we have our own digests.
var defaults = map[string]map[string]any{
	"s3": {
		"no_check_bucket": true, "no_head": true, "disable_checksum": true,
		"upload_cutoff": fs.SizeSuffix(gatherLimit + chunkSize), "chunk_size": 8 * fs.Mebi, "upload_concurrency": 2,
	},
	"azureblob":            {"no_check_container": true, "disable_checksum": true, "upload_concurrency": 4},
	"google cloud storage": {"no_check_bucket": true},
	"b2":                   {"disable_checksum": true},
}

// applyDefaults puts the defaults into rclone's table of backends.
func applyDefaults() {
	for backend, values := range defaults {
		reg, err := fs.Find(backend)
		if err != nil {
			continue // not linked
		}
		for name, value := range values {
			if option := reg.Options.Get(name); option != nil {
				option.Default = value
			}
		}
	}
}

// openRemote turns a remote's name into a store: the local fast path for directories, rclone for everything else.
func openRemote(ctx context.Context, name string, opts Options) (Store, error) {
	parsed, err := fspath.Parse(name)
	if err != nil {
		return nil, fail("open", "", fmt.Errorf("remote is neither a path nor NAME:path: %w", err))
	}
	if parsed.Name == "" {
		return openLocal(parsed.Path)
	}
	if len(parsed.Config) > 0 && strings.HasPrefix(parsed.Path, "//") {
		return nil, fail("open", "", errors.New(`a value that contains a colon must be quoted: endpoint="http://..."`))
	}
	logTarget.Store(opts.Logger)
	setUpRclone()
	if opts.RcloneConfig != "" {
		if err := loadRcloneConfig(opts.RcloneConfig); err != nil {
			return nil, fail("open", "", err)
		}
	}
	settings := serverSettings()
	f, reg, values, err := newFs(fs.CopyConfig(ctx, settings), name, parsed.Path)
	if err != nil {
		return nil, fail("open", "", fmt.Errorf("remote %q: %w", parsed.Name, err))
	}
	if disk, ok := f.(*localfs.Fs); ok {
		return openLocal(disk.Root())
	}
	s := &remote{fs: f, config: settings, spool: opts.SpoolDir, ttl: opts.LinkTTL}
	if s.linker, err = newLinker(s.scoped(ctx), reg.Name, f, values, opts); err != nil {
		return nil, fail("open", "", err)
	}
	if reg.Name == "memory" || !f.Features().BucketBased {
		if err := f.Mkdir(s.scoped(ctx), ""); err != nil {
			return nil, fail("open", "", err)
		}
	}
	return s, nil
}

// newFs builds the backend. It does what fs.NewFs does, but without putting the connection string, which holds
// secrets, into logs, and with checks of what a server must not be given.
func newFs(ctx context.Context, name, root string) (fs.Fs, *fs.RegInfo, configmap.Getter, error) {
	reg, configName, _, inline, err := fs.ParseRemote(name)
	if errors.Is(err, fs.ErrorNotFoundInConfigFile) {
		return nil, nil, nil, errors.New("no such remote in the rclone configuration")
	}
	if err != nil {
		return nil, nil, nil, err
	}
	values := fs.ConfigMap(reg.Prefix, reg.Options, configName, inline)
	if v, _ := values.Get("no_head_object"); v == "true" {
		return nil, nil, nil, errors.New("no_head_object must not be set: ranged reads would return whole objects")
	}
	if reg.Name == "memory" && root == "" {
		root = strings.ToLower(rand.Text()) // the backend's buckets are shared by the whole process
	}
	// The slash says "a directory": without it most backends ask the server whether root is a file, S3 for 14
	// seconds when it is down, and then answer with a store one level up.
	root = strings.TrimRight(root, "/") + "/"
	f, err := reg.NewFs(ctx, configName, root, values)
	if errors.Is(err, fs.ErrorIsFile) {
		return nil, nil, nil, errors.New("path names a file, not a directory")
	}
	if err != nil {
		return nil, nil, nil, err
	}
	return f, reg, values, nil
}

// setUpRclone makes rclone fit to live in somebody else's process, once.
var setUpRclone = sync.OnceFunc(func() {
	// Otherwise the first multipart upload installs a handler that exits the process on SIGTERM, cutting off
	// the graceful stop.
	atexit.IgnoreSignals()
	fs.SetLogger(forwardLog{})
	config.SetConfigPath("") // settings live in memory: nobody's ~/.config/rclone is read or written
	config.LoadedData()
	applyDefaults()
})

// serverSettings are rclone's global options for one store.
func serverSettings() context.Context {
	ctx, settings := fs.AddConfig(context.Background())
	// A caller is waiting. rclone's S3 backend and the client below it each count tries by this number, so an operation
	// is tried 4 times in about 2 seconds; rclone's own default of 10 takes minutes.
	settings.LowLevelRetries = 2
	settings.ConnectTimeout = fs.Duration(10 * time.Second)
	settings.Timeout = fs.Duration(time.Minute) // without a byte
	settings.AskPassword = false
	settings.UserAgent = "entrepot"
	return ctx
}

var rcloneConfigMu sync.Mutex

// loadRcloneConfig copies the sections of an rclone.conf into rclone's configuration in memory. The file is read by
// rclone's own code, so an encrypted one works, and never written.
func loadRcloneConfig(path string) error {
	rcloneConfigMu.Lock()
	defer rcloneConfigMu.Unlock()
	if err := config.SetConfigPath(path); err != nil {
		return fmt.Errorf("rclone configuration: %w", err)
	}
	defer config.SetConfigPath("")
	var file configfile.Storage
	if err := file.Load(); err != nil {
		return fmt.Errorf("rclone configuration %s: %w", path, err)
	}
	memory := config.LoadedData()
	for _, section := range file.GetSectionList() {
		for _, key := range file.GetKeyList(section) {
			if value, ok := file.GetValue(section, key); ok {
				memory.SetValue(section, key, value)
			}
		}
	}
	return nil
}

// logTarget is where rclone's messages go.
var logTarget atomic.Pointer[slog.Logger]

// forwardLog is a slog.Handler that asks for its target at every message, so that the target can change while
// uploads run.
type forwardLog struct{}

func (forwardLog) target() slog.Handler {
	return cmp.Or(logTarget.Load(), slog.Default()).Handler()
}

func (f forwardLog) Enabled(ctx context.Context, level slog.Level) bool {
	return f.target().Enabled(ctx, level)
}

func (f forwardLog) Handle(ctx context.Context, record slog.Record) error {
	return f.target().Handle(ctx, record)
}

func (f forwardLog) WithAttrs(attrs []slog.Attr) slog.Handler { return f.target().WithAttrs(attrs) }
func (f forwardLog) WithGroup(name string) slog.Handler       { return f.target().WithGroup(name) }
